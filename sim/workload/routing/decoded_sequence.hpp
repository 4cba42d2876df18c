#pragma once

#include <cstdint>
#include <vector>

#include "sim/workload/routing/routing_spec.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// The choices of `num_tokens` consecutive tokens of one source, by layer; the gate's own, without
/// further experts to reroute to. Memory: 4 bytes for each choice.
[[nodiscard]] std::vector<TokenChoices> decoded_sequence(RoutingSpec spec, int num_experts,
                                                         int num_layers, std::int64_t num_tokens,
                                                         const RoutingStream& stream);

}  // namespace switchyard
