#pragma once

#include "kernels/run/routing_trace.hpp"
#include "sim/workload/routing/routing_draw.hpp"

namespace switchyard {

/// Who chooses what in a draw, token by token, source rank by source rank: what draw_routing() of
/// the same arguments counts.
/// Precondition: tokens choose, in groups, without rerouting; experts fit 16 bits (checked).
[[nodiscard]] kernels::RoutingTrace drawn_choices(const RoutingSpec& spec,
                                                  const RoutingShape& shape,
                                                  const RoutingStream& stream);

}  // namespace switchyard
