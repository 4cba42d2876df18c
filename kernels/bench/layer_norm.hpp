#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/cpu_backend.hpp"

namespace switchyard::kernels {

/// Rows that are normalised one by one, as before each block of a transformer.
struct NormShape {
  std::int64_t rows = 0;
  int columns = 0;
  bool subtracts_mean = false;  ///< layer norm; else RMS norm
};

/// y = (x - mean) / sqrt(mean((x - mean)^2) + 1e-5) * scale, mean 0 for RMS norm; sums in float.
/// Reads and writes each number once. T is float or BFloat16. For benchmarks.
/// @param x      (rows, columns)
/// @param scale  (columns)
/// @param y      (rows, columns), may be x
template <class T>
void normalise(const NormShape& shape, const CpuBackend& cpu, std::span<const T> x,
               std::span<const float> scale, std::span<T> y);

/// Bytes of x and y.
[[nodiscard]] double norm_bytes(const NormShape& shape, int number_bytes);

}  // namespace switchyard::kernels
