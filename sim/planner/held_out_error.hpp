#pragma once

#include <span>

namespace switchyard {

/// Relative errors of predictions, without their sign.
struct HeldOutError {
  int rows = 0;
  double median = 0;
  double p90 = 0;
  double largest = 0;
};

/// Summary of |errors|, each predicted / measured - 1; zeros where there are none.
[[nodiscard]] HeldOutError summarize(std::span<const double> errors);

}  // namespace switchyard
