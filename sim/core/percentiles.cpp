#include "sim/core/percentiles.hpp"

#include <algorithm>
#include <cstddef>

#include "sim/core/error.hpp"

namespace switchyard {

Percentiles percentiles(std::vector<double> values) {
  SWITCHYARD_CHECK(!values.empty(), "percentiles of nothing");
  std::sort(values.begin(), values.end());
  const auto at = [&](double p) {
    const double position = p * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] +
           (position - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {.p5 = at(0.05), .p50 = at(0.50), .p95 = at(0.95)};
}

}  // namespace switchyard
