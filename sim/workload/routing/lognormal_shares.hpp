#pragma once

#include <vector>

namespace switchyard {

/// Shares at the middles of equal parts of a log-normal distribution, ascending, sum 1: expert i of
/// n weighs exp(sigma * z) with z the standard normal quantile of (i + 1/2) / n. Precondition:
/// sigma finite and at least 0, num_experts at least 1 (checked).
[[nodiscard]] std::vector<double> lognormal_quantile_shares(double sigma, int num_experts);

}  // namespace switchyard
