#pragma once

#include <cstdint>
#include <vector>

#include "sim/workload/routing/routing_spec.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// Tokens since the same expert was last used (1: by the token before), over all choices: element
/// i counts distance i + 1, the last element all from there on. First uses are not counted.
/// Precondition: max_distance at least 1, experts below num_experts (checked).
[[nodiscard]] std::vector<std::int64_t> reuse_distances(const TokenChoices& choices,
                                                        int num_experts, int max_distance);

/// The same of `num_tokens` tokens of rank 0 of a draw, in one of its layers.
[[nodiscard]] std::vector<std::int64_t> reuse_distances(const RoutingSpec& spec, int num_experts,
                                                        int num_layers, int layer,
                                                        std::int64_t num_tokens,
                                                        const RoutingStream& stream,
                                                        int max_distance);

}  // namespace switchyard
