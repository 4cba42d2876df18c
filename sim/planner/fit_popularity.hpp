#pragma once

#include <span>

namespace switchyard {

// How uneven a learned router is, from published loads: the sigma of a log-normal popularity that
// gives them in expectation. Expectations are means over draws with a fixed seed; a load is the
// probability that an expert is among a token's first top_k choices, so nothing in them comes from
// a finite number of tokens. The data cannot test that popularity is log-normal.

/// The extremes of published loads.
struct LoadRange {
  int num_experts = 8;
  int top_k = 2;
  /// Groups of num_experts loads (a layer on a data set) among which the extremes were found.
  int num_groups = 1;
  double smallest = 0;  ///< load over top_k, so that 1 / num_experts is even
  double largest = 0;
};

/// Expected logarithm of largest over smallest load, where every group has a popularity of its own.
[[nodiscard]] double expected_log_load_range(double sigma, const LoadRange& range);

/// The sigma whose expected_log_load_range() is that of `range`, at most 3. (The order statistics
/// of N = num_groups * num_experts normal numbers say nearly the same: sigma about ln(largest /
/// smallest) / (2 E[max of N]), more by what top_k and the sum of shares level.) Precondition: 0 <
/// smallest < largest (checked).
[[nodiscard]] double fit_sigma_to_load_range(const LoadRange& range);

/// A published violation of balance, max load / mean load - 1, over so many tokens that only the
/// router causes it. Source: Wang et al., "Auxiliary-Loss-Free Load Balancing", arXiv:2408.15664,
/// 2024 (MaxVio_global).
struct BalanceViolation {
  int num_experts = 64;
  int top_k = 6;
  double max_violation = 0;
};

/// Mean violation of routers with this sigma.
[[nodiscard]] double expected_max_violation(double sigma, int num_experts, int top_k);

/// The sigma whose expected violation is `violation`, at most 3.
/// Precondition: max_violation > 0 (checked).
[[nodiscard]] double fit_sigma_to_max_violation(const BalanceViolation& violation);

/// One sigma for several: their geometric mean, as sigma is a factor.
/// Precondition: at least one, all positive (checked).
[[nodiscard]] double combined_sigma(std::span<const double> sigmas);

/// Expected share of loads between `low` and `high` (over top_k) with this sigma, to set beside
/// where most published ones lie.
[[nodiscard]] double expected_share_of_loads(double sigma, const LoadRange& range, double low,
                                             double high);

}  // namespace switchyard
