#include "sim/cli/drawn_choices.hpp"

#include <algorithm>
#include <limits>

#include "sim/core/error.hpp"
#include "sim/workload/routing/router.hpp"

namespace switchyard {

kernels::RoutingTrace drawn_choices(const RoutingSpec& spec, const RoutingShape& shape,
                                    const RoutingStream& stream) {
  SWITCHYARD_CHECK(!spec.gate.expert_choice && spec.slots.scope == SlotScope::kGroup &&
                       spec.slots.reroute_attempts == 0 &&
                       shape.num_experts <= std::numeric_limits<std::int16_t>::max(),
                   "choices of {} experts, {} attempts to reroute", shape.num_experts,
                   spec.slots.reroute_attempts);
  const std::int64_t rank_tokens = shape.groups_per_rank * shape.group_tokens;
  const Router router{spec,
                      {.num_experts = shape.num_experts,
                       .num_layers = shape.num_layers,
                       .num_ranks = shape.num_ranks,
                       .tokens_per_rank = rank_tokens},
                      stream};
  const auto top_k = static_cast<std::size_t>(spec.gate.top_k);
  const auto layers = static_cast<std::size_t>(shape.num_layers);
  kernels::RoutingTrace trace{
      .num_layers = shape.num_layers, .top_k = spec.gate.top_k, .experts = {}};
  trace.experts.resize(static_cast<std::size_t>(shape.num_ranks * rank_tokens) * layers * top_k);
  TokenChoices choices;
  std::size_t first_token = 0;
  for (int rank = 0; rank < shape.num_ranks; ++rank) {
    RankTokens tokens{router, rank, false};
    for (std::int64_t group = 0; group < shape.groups_per_rank; ++group) {
      for (std::size_t layer = 0; layer < layers; ++layer) {
        tokens.draw(static_cast<int>(layer), shape.group_tokens, choices);
        for (std::size_t t = 0; t < choices.num_tokens(); ++t)
          std::ranges::transform(
              choices.experts.begin() + static_cast<std::ptrdiff_t>(t * top_k),
              choices.experts.begin() + static_cast<std::ptrdiff_t>((t + 1) * top_k),
              trace.experts.begin() +
                  static_cast<std::ptrdiff_t>(((first_token + t) * layers + layer) * top_k),
              [](std::int32_t expert) { return static_cast<std::int16_t>(expert); });
      }
      first_token += static_cast<std::size_t>(shape.group_tokens);
    }
  }
  return trace;
}

}  // namespace switchyard
