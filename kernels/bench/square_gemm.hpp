#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// Whether this program was built with a BLAS.
[[nodiscard]] bool has_blas();

/// c = a @ b^T with BLAS, all (size, size) float.
void blas_square_gemm(std::int64_t size, int num_threads, const float* a, const float* b, float* c);

}  // namespace switchyard::kernels
