#include "sim/planner/held_out_error.hpp"

#include <cmath>

#include "sim/core/quantile.hpp"

namespace switchyard {

HeldOutError summarize(std::span<const double> errors) {
  if (errors.empty()) return {};
  std::vector<double> sizes;
  for (const double error : errors) sizes.push_back(std::abs(error));
  return {.rows = static_cast<int>(sizes.size()),
          .median = quantile(sizes, 0.5),
          .p90 = quantile(sizes, 0.9),
          .largest = quantile(sizes, 1.0)};
}

}  // namespace switchyard
