#pragma once

#include <vector>

namespace switchyard {

/// Fifth, fiftieth and ninety-fifth percentile, over routing draws for instance.
struct Percentiles {
  double p5 = 0;
  double p50 = 0;
  double p95 = 0;
};

/// Linear in position p * (n - 1) of the order; p5 and p95 of two are these. Not empty (checked).
[[nodiscard]] Percentiles percentiles(std::vector<double> values);

}  // namespace switchyard
