#include "sim/workload/routing/decoded_sequence.hpp"

#include "sim/workload/routing/router.hpp"

namespace switchyard {

std::vector<TokenChoices> decoded_sequence(RoutingSpec spec, int num_experts, int num_layers,
                                           std::int64_t num_tokens, const RoutingStream& stream) {
  spec.slots.reroute_attempts = 0;
  const Router router{spec,
                      {.num_experts = num_experts,
                       .num_layers = num_layers,
                       .num_ranks = 1,
                       .tokens_per_rank = num_tokens},
                      stream};
  RankTokens tokens{router, 0, false};
  std::vector<TokenChoices> layers(static_cast<std::size_t>(num_layers));
  for (int layer = 0; layer < num_layers; ++layer)
    tokens.draw(layer, num_tokens, layers[static_cast<std::size_t>(layer)]);
  return layers;
}

}  // namespace switchyard
