#pragma once

#include <span>
#include <vector>

namespace switchyard {

/// Relative errors of predictions, without their sign.
struct HeldOutError {
  int rows = 0;
  double median = 0;
  double p90 = 0;
  double largest = 0;
};

/// The value below which the share `q` of `values` lies, linear between neighbours (as numpy's
/// quantile). Edge: no values give 0.
[[nodiscard]] double quantile(std::vector<double> values, double q);

/// Summary of |errors|, each predicted / measured - 1.
[[nodiscard]] HeldOutError summarize(std::span<const double> errors);

}  // namespace switchyard
