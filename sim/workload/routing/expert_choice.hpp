#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace switchyard {

/// Which experts took each token of a scope, where experts choose tokens.
struct ExpertChoice {
  std::vector<std::int64_t> first;    ///< by token and one more: where its experts begin
  std::vector<std::int32_t> experts;  ///< token after token, ascending within each

  [[nodiscard]] std::span<const std::int32_t> experts_of(std::size_t token) const {
    return std::span{experts}.subspan(static_cast<std::size_t>(first[token]),
                                      static_cast<std::size_t>(first[token + 1] - first[token]));
  }
};

/// Every expert takes `capacity` distinct tokens out of `num_tokens`, each set equally likely and
/// independent of the other experts' (Floyd's sampling).
///
/// Assumes that scores of different experts are independent and that tokens are alike. So the
/// popularity of experts has no influence: each load is exactly the capacity, by construction of
/// the gate. A token is left out with probability (1 - capacity / num_tokens)^num_experts.
/// Precondition: num_experts at least 1, 1 <= capacity <= num_tokens < 2^31 (checked).
/// Cost: O(num_experts * capacity + num_tokens).
/// Source: Zhou et al., "Mixture-of-Experts with Expert Choice Routing", NeurIPS 2022; Bentley,
///         Floyd, "Programming Pearls: A Sample of Brilliance", CACM 30(9), 1987.
[[nodiscard]] ExpertChoice draw_expert_choice(std::int64_t num_tokens, int num_experts,
                                              std::int64_t capacity, std::mt19937_64& rng);

}  // namespace switchyard
