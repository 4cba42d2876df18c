#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// A row-major array (matrices, rows, columns) of which boxes (1, box_rows, 64) are copied.
struct TensorMapShape {
  const BFloat16* data = nullptr;
  std::int64_t matrices = 0;  ///< 0: a 2-D map of (rows, columns)
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  int box_rows = 0;
};

/// Columns of a box: 128 bytes, one row of a swizzled tile.
inline constexpr int kBoxColumns = 64;

/// Precondition: columns a multiple of 8, data at a multiple of 16 bytes.
/// @throws KernelError (kDevice) with the shape.
[[nodiscard]] CUtensorMap make_tensor_map(const TensorMapShape& shape);

}  // namespace switchyard::kernels
