#pragma once

#include <vector>

#include "sim/workload/routing/routing_draw.hpp"

namespace switchyard {

/// Where the experts of each MoE layer are in a draw: one element for each layer, or a single one
/// where all layers are laid out alike. Replicated experts follow the popularity of the draw's
/// router, as a balancer does that has watched it for long.
[[nodiscard]] std::vector<Destinations> destinations_of(const RoutingSpec& spec,
                                                        const RoutingShape& shape,
                                                        const RoutingStream& stream,
                                                        int ranks_per_node);

}  // namespace switchyard
