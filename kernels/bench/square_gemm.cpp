#include "kernels/bench/square_gemm.hpp"

#ifdef SWITCHYARD_KERNELS_CBLAS
#include <cblas.h>
#ifdef _OPENMP
#include <omp.h>
#endif

// OpenBLAS has this; other libraries take their threads from OpenMP.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int num_threads);
#endif

namespace switchyard::kernels {

#ifdef SWITCHYARD_KERNELS_CBLAS

bool has_blas() { return true; }

void blas_square_gemm(std::int64_t size, int num_threads, const float* a, const float* b,
                      float* c) {
#ifdef _OPENMP
  omp_set_num_threads(num_threads);
#endif
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(num_threads);
  const auto n = static_cast<int>(size);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0F, a, n, b, n, 0.0F, c, n);
}

#else

bool has_blas() { return false; }

void blas_square_gemm(std::int64_t, int, const float*, const float*, float*) {}

#endif

}  // namespace switchyard::kernels
