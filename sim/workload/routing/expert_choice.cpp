#include "sim/workload/routing/expert_choice.hpp"

#include <limits>
#include <numeric>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"

namespace switchyard {

ExpertChoice draw_expert_choice(std::int64_t num_tokens, int num_experts, std::int64_t capacity,
                                std::mt19937_64& rng) {
  SWITCHYARD_CHECK(num_experts >= 1 && 1 <= capacity && capacity <= num_tokens &&
                       num_tokens < std::numeric_limits<std::int32_t>::max(),
                   "{} experts choose {} of {} tokens each", num_experts, capacity, num_tokens);
  const auto tokens = static_cast<std::size_t>(num_tokens);
  std::vector<std::int32_t> chosen;  // expert after expert
  chosen.reserve(static_cast<std::size_t>(num_experts) * static_cast<std::size_t>(capacity));
  std::vector<std::int32_t> last_taker(tokens, -1);
  ExpertChoice result{.first = std::vector<std::int64_t>(tokens + 1, 0), .experts = {}};
  for (std::int32_t expert = 0; expert < num_experts; ++expert)
    for (std::int64_t last = num_tokens - capacity; last < num_tokens; ++last) {
      std::size_t token = uniform_below(static_cast<std::uint64_t>(last) + 1, rng);
      if (last_taker[token] == expert) token = static_cast<std::size_t>(last);
      last_taker[token] = expert;
      chosen.push_back(static_cast<std::int32_t>(token));
      ++result.first[token + 1];
    }

  std::partial_sum(result.first.begin(), result.first.end(), result.first.begin());
  std::vector<std::int64_t> next(result.first.begin(), result.first.end() - 1);
  result.experts.resize(chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto token = static_cast<std::size_t>(chosen[i]);
    result.experts[static_cast<std::size_t>(next[token]++)] =
        static_cast<std::int32_t>(i / static_cast<std::size_t>(capacity));
  }
  return result;
}

}  // namespace switchyard
