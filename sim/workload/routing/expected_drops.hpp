#pragma once

#include <cstdint>
#include <span>

#include "sim/workload/routing/inclusion_probabilities.hpp"

namespace switchyard {

/// E[max(0, X - C)] for X binomial (`trials`, `probability`), C = capacity:
///
///   n p P(Bin(n - 1, p) >= C) - C P(Bin(n, p) >= C + 1)
///
/// by the regularised incomplete beta function; constant cost, about a microsecond.
/// Precondition: trials and capacity not negative, probability 0 to 1 (checked).
/// Source: the sum over x > C of (x - C) P(X = x), with x P(Bin(n, p) = x) = n p P(Bin(n - 1, p) =
///         x - 1); Abramowitz, Stegun, "Handbook of Mathematical Functions", 1964, 26.5.24 (tails).
[[nodiscard]] double expected_overflow(std::int64_t trials, double probability,
                                       std::int64_t capacity);

/// Expected share of the choices that find no slot, for tokens that choose independently:
/// sum over experts of E[max(0, Bin(S, q_e) - C)] / (S k), S = group_tokens, q = inclusion
/// probabilities. Whose choices those are depends on SlotPriority, how many does not.
/// Without rerouting, and where the gate makes all top_k choices.
[[nodiscard]] double expected_dropped_fraction(std::int64_t group_tokens,
                                               std::span<const double> popularity, int top_k,
                                               std::int64_t capacity);

/// The same for a uniform router, q = k / E: microseconds.
[[nodiscard]] double expected_dropped_fraction(std::int64_t group_tokens, int num_experts,
                                               int top_k, std::int64_t capacity);

}  // namespace switchyard
