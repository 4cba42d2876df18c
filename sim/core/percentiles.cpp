#include "sim/core/percentiles.hpp"

#include <algorithm>

#include "sim/core/quantile.hpp"

namespace switchyard {

Percentiles percentiles(std::vector<double> values) {
  // Between two values p5 would lie above the lower one, which stands for them as their median.
  if (values.size() == 2) {
    const auto [low, high] = std::minmax(values[0], values[1]);
    return {.p5 = low, .p50 = quantile(values, 0.50), .p95 = high};
  }
  return {
      .p5 = quantile(values, 0.05), .p50 = quantile(values, 0.50), .p95 = quantile(values, 0.95)};
}

}  // namespace switchyard
