#include "sim/workload/routing/expected_drops.hpp"

#include <algorithm>

#include <boost/math/special_functions/beta.hpp>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// P(Bin(trials, probability) >= least), for a probability above 0 and below 1.
double tail(std::int64_t trials, double probability, std::int64_t least) {
  if (least <= 0) return 1.0;
  if (least > trials) return 0.0;
  return boost::math::ibeta(static_cast<double>(least), static_cast<double>(trials - least + 1),
                            probability);
}

}  // namespace

double expected_overflow(std::int64_t trials, double probability, std::int64_t capacity) {
  SWITCHYARD_CHECK(trials >= 0 && capacity >= 0 && 0.0 <= probability && probability <= 1.0,
                   "{} trials, probability {}, capacity {}", trials, probability, capacity);
  if (capacity >= trials || probability == 0.0) return 0.0;
  const auto n = static_cast<double>(trials);
  const auto slots = static_cast<double>(capacity);
  if (probability == 1.0) return n - slots;
  return std::max(0.0, n * probability * tail(trials - 1, probability, capacity) -
                           slots * tail(trials, probability, capacity + 1));
}

double expected_dropped_fraction(std::int64_t group_tokens, std::span<const double> popularity,
                                 int top_k, std::int64_t capacity) {
  SWITCHYARD_CHECK(group_tokens >= 1, "{} tokens", group_tokens);
  double overflow = 0.0;
  double last_probability = -1.0;  // neighbours are often alike
  double last_overflow = 0.0;
  for (const double probability : inclusion_probabilities(popularity, top_k)) {
    if (probability != last_probability) {
      last_probability = probability;
      // Sums of probabilities round.
      last_overflow = expected_overflow(group_tokens, std::min(1.0, probability), capacity);
    }
    overflow += last_overflow;
  }
  return overflow / (static_cast<double>(group_tokens) * top_k);
}

double expected_dropped_fraction(std::int64_t group_tokens, int num_experts, int top_k,
                                 std::int64_t capacity) {
  SWITCHYARD_CHECK(group_tokens >= 1 && 1 <= top_k && top_k <= num_experts,
                   "{} tokens, {} experts, top_k {}", group_tokens, num_experts, top_k);
  const double probability = static_cast<double>(top_k) / num_experts;
  return expected_overflow(group_tokens, probability, capacity) * num_experts /
         (static_cast<double>(group_tokens) * top_k);
}

}  // namespace switchyard
