#pragma once

#include <vector>

namespace switchyard {

/// Shares of `num_experts` experts that lie as a log-normal popularity does: the quantiles
///
///   exp(sigma * z((i + 1/2) / n)),  i = 0 ... n - 1, z = quantile of the standard normal,
///
/// scaled to sum 1, ascending. What one draw of LognormalPopularity would be without its noise.
/// Edge: sigma 0 is uniform. Precondition: sigma not negative, num_experts at least 1 (checked).
[[nodiscard]] std::vector<double> lognormal_quantile_shares(double sigma, int num_experts);

}  // namespace switchyard
