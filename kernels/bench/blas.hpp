#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// Whether this program was built with a BLAS.
[[nodiscard]] bool has_blas();

/// Threads of each later product that the calling thread asks for.
void set_blas_threads(int num_threads);

/// c (m, n) = scale * a (m, k) @ b, row-major floats; b is (k, n), or (n, k) where `b_transposed`.
struct BlasProduct {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  const float* a = nullptr;
  std::int64_t a_stride = 0;  ///< numbers from row to row
  const float* b = nullptr;
  std::int64_t b_stride = 0;
  bool b_transposed = false;
  float scale = 1.0F;
  float* c = nullptr;
  std::int64_t c_stride = 0;
};

/// Nothing without a BLAS.
void blas_product(const BlasProduct& product);

}  // namespace switchyard::kernels
