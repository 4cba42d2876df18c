#pragma once

#include <span>
#include <vector>

namespace switchyard {

/// Probability that an expert is among a token's first top_k choices, by expert; sums to top_k.
///
/// Choices are a race: expert e arrives after an exponential time of rate p_e, and the first k to
/// arrive are chosen. So
///
///   q_e = integral over t > 0 of p_e exp(-p_e t) P(fewer than k of the others arrive before t)
///
/// For k = 1 that is p_e, for k = 2 p_e (1 + sum over j != e of p_j / (1 - p_j)), else the
/// probability is a Poisson-binomial one and the integral is summed by the double exponential rule
/// (to about 1e-12). Cost: O(experts); for k > 2 O(experts * top_k) times some hundred nodes, for
/// equal shares O(experts).
///
/// @param popularity  shares, sum 1
/// Precondition: none negative, at least top_k positive (checked).
/// Source: Plackett-Luce choice, see router_spec.hpp; Takahasi, Mori, "Double Exponential Formulas
///         for Numerical Integration", Publ. RIMS 9, 1974.
[[nodiscard]] std::vector<double> inclusion_probabilities(std::span<const double> popularity,
                                                          int top_k);

}  // namespace switchyard
