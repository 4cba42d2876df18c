#include "kernels/measure/spread_sizes.hpp"

#include <algorithm>
#include <cmath>

namespace switchyard::kernels {

double spread_share(int i, std::size_t d, std::size_t dimensions) {
  constexpr int kEnds = 2;
  if (i < kEnds) return i;
  const auto power = static_cast<double>(dimensions + 1);
  double ratio = 1.5;  // the root of x^(dimensions + 1) = x + 1
  for (int step = 0; step < 40; ++step) ratio = std::pow(1.0 + ratio, 1.0 / power);
  const double at = 0.5 + (i - kEnds) * std::pow(ratio, -static_cast<double>(d + 1));
  return at - std::floor(at);
}

std::int64_t spread_size(const SpreadRange& range, double share) {
  const double size = range.lowest * std::pow(range.highest / range.lowest, share);
  return std::max<std::int64_t>(1, std::llround(size / static_cast<double>(range.multiple))) *
         range.multiple;
}

std::vector<std::int64_t> loads_by_popularity(std::int64_t rows, std::int64_t experts,
                                              double exponent) {
  double all = 0.0;
  for (std::int64_t e = 1; e <= experts; ++e) all += std::pow(static_cast<double>(e), -exponent);
  std::vector<std::int64_t> loads;
  double seen = 0.0;
  std::int64_t given = 0;
  for (std::int64_t e = 1; e <= experts; ++e) {
    seen += std::pow(static_cast<double>(e), -exponent) / all;
    const auto until = e == experts ? rows : std::llround(seen * static_cast<double>(rows));
    loads.push_back(until - given);
    given = until;
  }
  return loads;
}

}  // namespace switchyard::kernels
