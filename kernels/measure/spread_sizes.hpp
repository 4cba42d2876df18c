#pragma once

#include <cstdint>
#include <vector>

namespace switchyard::kernels {

/// The i-th number of van der Corput's sequence of that base, in [0, 1).
/// Source: Halton, "On the efficiency of certain quasi-random sequences of points", 1960.
[[nodiscard]] double spread_share(int i, int base);

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
