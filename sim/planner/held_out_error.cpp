#include "sim/planner/held_out_error.hpp"

#include <algorithm>
#include <cmath>

namespace switchyard {

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0.0;
  std::ranges::sort(values);
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= values.size()) return values.back();
  const double share = place - static_cast<double>(below);
  return (1 - share) * values[below] + share * values[below + 1];
}

HeldOutError summarize(std::span<const double> errors) {
  std::vector<double> sizes;
  for (const double error : errors) sizes.push_back(std::abs(error));
  return {.rows = static_cast<int>(sizes.size()),
          .median = quantile(sizes, 0.5),
          .p90 = quantile(sizes, 0.9),
          .largest = quantile(sizes, 1.0)};
}

}  // namespace switchyard
