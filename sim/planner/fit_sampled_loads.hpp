#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace switchyard {

// How uneven a router is, and how fast that moves, from counted choices: unlike published loads,
// they contain the chance of finitely many tokens, which is taken out here.

/// Choices of one layer's experts in steps at equal distances.
struct SampledLoads {
  int top_k = 1;                                 ///< choices of a token that were counted
  std::int64_t num_tokens = 0;                   ///< of each step
  std::vector<std::vector<std::int64_t>> steps;  ///< (steps, experts)
};

/// Mean over steps of sum_e q_e^2, where q_e is the probability that a token chooses expert e.
///
/// Tokens are independent, so the count c_e is binomial in T tokens and
///   E[c_e (c_e - 1)] = T (T - 1) q_e^2:  no chance of the count is left in the mean.
/// Precondition: at least one step and two tokens (checked).
[[nodiscard]] double mean_square_load(const SampledLoads& loads);

/// The same of neighbouring steps, sum_e q_e q'_e: their counts are independent of each other.
/// Precondition: at least two steps (checked).
[[nodiscard]] double mean_neighbour_product(const SampledLoads& loads);

/// Expected sum_e q_e^2 where popularity is log-normal, over draws with a fixed seed.
[[nodiscard]] double expected_square_load(double sigma, int num_experts, int top_k);

/// The sigma whose expectation is mean_square_load(), from 0 (loads no more uneven than chance) to
/// 3.
[[nodiscard]] double fit_sigma_to_loads(const SampledLoads& loads);

/// Correlation of loads in one step with those in the next, all layers together, within 0 and
/// 0.999: what of the unevenness beyond top_k^2 / E in neighbours' products is left. 0 where loads
/// are no more uneven than chance. Precondition: at least two steps of each layer (checked).
[[nodiscard]] double neighbour_correlation(std::span<const SampledLoads> layers);

}  // namespace switchyard
