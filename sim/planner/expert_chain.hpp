#pragma once

#include <vector>

namespace switchyard {

/// One layer of a TemporalRouter with a top-2 gate and its popularity drawn: a Markov chain over
/// the ordered pairs (first, second choice) of consecutive tokens.
///
/// After a token that chose (f, s) expert e has the weight
///
///   shares[e] * (1 + first_tilt if e = f) * (1 + second_tilt if e = s);
///
/// the first choice is drawn by weight, the second by weight from the others.
/// Precondition of all functions below: at least 3 experts, shares positive, tilts at least -1
/// (checked).
struct ExpertChain {
  std::vector<double> shares;
  double first_tilt = 0;
  double second_tilt = 0;
};

/// How often consecutive tokens' choices repeat, in the long run.
struct ChoiceRepeats {
  double first = 0;            ///< the first choice is the first choice of the token before
  double first_or_second = 0;  ///< at least one of the two is one of the token before's two
};

/// Exact, from the stationary distribution of the pairs. Shares that are all equal and no tilts
/// give 1/E and 1 - (E-2)(E-3) / (E(E-1)): 12.5 % and 46.4 % of 8 experts.
/// Source of the two definitions: Jiang et al., "Mixtral of Experts", arXiv:2401.04088, 2024,
///         table 5.
[[nodiscard]] ChoiceRepeats choice_repeats(const ExpertChain& chain);

/// Share of the choices whose expert is in a cache of the `cached_experts` experts used last, in
/// the long run; a token's second choice counts as used after its first.
///
/// Exact: the stationary distribution of the experts by recency.
/// Precondition: 2 <= cached_experts <= 4 (checked). Cost: E^(cached_experts + 2) operations some
/// dozen times: milliseconds for 8 experts.
[[nodiscard]] double lru_hit_rate(const ExpertChain& chain, int cached_experts);

}  // namespace switchyard
