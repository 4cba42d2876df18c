#include "sim/workload/routing/expected_drops.hpp"

#include <algorithm>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {

double expected_dropped_fraction(std::int64_t group_tokens, int num_experts, int top_k,
                                 std::int64_t capacity) {
  SWITCHYARD_CHECK(group_tokens >= 1 && num_experts >= 1 && capacity >= 0,
                   "{} tokens, {} experts, capacity {}", group_tokens, num_experts, capacity);
  const auto trials = static_cast<double>(group_tokens);
  if (num_experts == 1) return std::max(0.0, trials - static_cast<double>(capacity)) / trials;
  const double probability = static_cast<double>(top_k) / num_experts;
  double overflow = 0.0;
  for (std::int64_t load = capacity + 1; load <= group_tokens; ++load) {
    const auto x = static_cast<double>(load);
    const double log_mass = std::lgamma(trials + 1) - std::lgamma(x + 1) -
                            std::lgamma(trials - x + 1) + x * std::log(probability) +
                            (trials - x) * std::log1p(-probability);
    overflow += (x - static_cast<double>(capacity)) * std::exp(log_mass);
  }
  return overflow * num_experts / (trials * top_k);
}

}  // namespace switchyard
