#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace switchyard {

/// E[max(0, X - C)] for X binomial (`trials`, `probability`), C = capacity:
///
///   n p P(Bin(n - 1, p) >= C) - C P(Bin(n, p) >= C + 1)
///
/// by the regularised incomplete beta function; constant cost.
[[nodiscard]] double expected_overflow(std::int64_t trials, double probability,
                                       std::int64_t capacity);

/// Probability that an expert is among a token's first top_k choices, by expert; sums to top_k.
/// @param popularity  shares, sum 1
/// Exact: top_k 1 and 2 in closed form, more by integrating the exponential race of the choices.
/// Source: Plackett-Luce choice, see router_spec.hpp.
[[nodiscard]] std::vector<double> inclusion_probabilities(std::span<const double> popularity,
                                                          int top_k);

/// Expected share of the choices that find no slot, for tokens that choose independently:
/// sum over experts of E[max(0, Bin(S, q_e) - C)] / (S k), S = group_tokens, q = inclusion
/// probabilities.
[[nodiscard]] double expected_dropped_fraction(std::int64_t group_tokens,
                                               std::span<const double> popularity, int top_k,
                                               std::int64_t capacity);

/// The same for a uniform router: microseconds.
[[nodiscard]] double expected_dropped_fraction(std::int64_t group_tokens, int num_experts,
                                               int top_k, std::int64_t capacity);

}  // namespace switchyard
