#include "sim/workload/routing/capacity.hpp"

#include <algorithm>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {

TokenGroups split_into_groups(std::int64_t num_tokens, std::int64_t max_group_tokens,
                              std::int64_t num_ranks) {
  SWITCHYARD_CHECK(num_tokens >= 1 && max_group_tokens >= 1 && num_ranks >= 1,
                   "{} tokens, groups of {}, {} ranks", num_tokens, max_group_tokens, num_ranks);
  SWITCHYARD_CHECK(num_tokens % num_ranks == 0, "{} tokens on {} ranks", num_tokens, num_ranks);
  std::int64_t num_groups = std::max<std::int64_t>(1, num_tokens / max_group_tokens);
  while (num_groups % num_ranks != 0 || num_tokens % num_groups != 0) ++num_groups;
  return {.num_groups = num_groups, .group_tokens = num_tokens / num_groups};
}

std::int64_t expert_capacity(std::int64_t group_tokens, const CapacitySpec& spec) {
  SWITCHYARD_CHECK(group_tokens >= 1 && spec.num_experts >= 1 && spec.capacity_factor > 0.0,
                   "{} tokens, {} experts, capacity factor {}", group_tokens, spec.num_experts,
                   spec.capacity_factor);
  const double factor = spec.capacity_factor * (spec.times_top_k ? spec.top_k : 1);
  const double exact = static_cast<double>(group_tokens) * factor / spec.num_experts;
  const double rounded = spec.rounding == CapacityRounding::kDown ? std::floor(exact)
                         : spec.rounding == CapacityRounding::kUp ? std::ceil(exact)
                                                                  : std::nearbyint(exact);
  const auto slots = static_cast<std::int64_t>(std::min(rounded, 0x1p62));
  return std::max(std::min(group_tokens, slots), spec.minimum);
}

}  // namespace switchyard
