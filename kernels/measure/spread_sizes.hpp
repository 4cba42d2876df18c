#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace switchyard::kernels {

/// Coordinate d of the i-th of points in so many dimensions, in [0, 1]: the first is 0 and the
/// second 1 in all of them, the others are Kronecker's sequence. Every second or third of these,
/// those held out for one, is spread as evenly as all are.
[[nodiscard]] double spread_share(int i, std::size_t d, std::size_t dimensions);

/// Sizes spread evenly in their logarithm, multiples of `multiple`.
struct SpreadRange {
  double lowest;
  double highest;
  std::int64_t multiple = 1;
};

/// @param share  0: the lowest, 1: the highest
[[nodiscard]] std::int64_t spread_size(const SpreadRange& range, double share);

/// Rows of each expert when the r-th has a share r^-exponent; they add up to `rows`.
[[nodiscard]] std::vector<std::int64_t> loads_by_popularity(std::int64_t rows, std::int64_t experts,
                                                            double exponent);

}  // namespace switchyard::kernels
