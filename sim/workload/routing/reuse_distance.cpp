#include "sim/workload/routing/reuse_distance.hpp"

#include <algorithm>

#include "sim/core/error.hpp"
#include "sim/workload/routing/decoded_sequence.hpp"

namespace switchyard {

std::vector<std::int64_t> reuse_distances(const TokenChoices& choices, int num_experts,
                                          int max_distance) {
  SWITCHYARD_CHECK(max_distance >= 1, "max_distance {}", max_distance);
  constexpr std::int64_t kNever = -1;
  std::vector<std::int64_t> last_use(static_cast<std::size_t>(num_experts), kNever);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(max_distance), 0);
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  for (std::size_t i = 0; i < choices.experts.size(); ++i) {
    const std::int32_t expert = choices.experts[i];
    if (expert == kNoExpert) continue;
    SWITCHYARD_CHECK(expert < num_experts, "expert {} of {}", expert, num_experts);
    const auto token = static_cast<std::int64_t>(i / columns);
    std::int64_t& last = last_use[static_cast<std::size_t>(expert)];
    if (last != kNever)
      ++counts[static_cast<std::size_t>(std::min<std::int64_t>(token - last, max_distance)) - 1];
    last = token;
  }
  return counts;
}

std::vector<std::int64_t> reuse_distances(const RoutingSpec& spec, int num_experts, int num_layers,
                                          int layer, std::int64_t num_tokens,
                                          const RoutingStream& stream, int max_distance) {
  SWITCHYARD_CHECK(0 <= layer && layer < num_layers, "layer {} of {}", layer, num_layers);
  const auto layers = decoded_sequence(spec, num_experts, num_layers, num_tokens, stream);
  return reuse_distances(layers[static_cast<std::size_t>(layer)], num_experts, max_distance);
}

}  // namespace switchyard
