#include "kernels/bench/blas.hpp"

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

void set_blas_threads(int num_threads) {
#ifdef _OPENMP
  // OpenMP's number is the calling thread's own, OpenBLAS' that of the process.
  omp_set_num_threads(num_threads);
#endif
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(num_threads);
}

void blas_product(const BlasProduct& of) {
  const auto as_int = [](std::int64_t number) { return static_cast<int>(number); };
  cblas_sgemm(CblasRowMajor, CblasNoTrans, of.b_transposed ? CblasTrans : CblasNoTrans,
              as_int(of.m), as_int(of.n), as_int(of.k), of.scale, of.a, as_int(of.a_stride), of.b,
              as_int(of.b_stride), 0.0F, of.c, as_int(of.c_stride));
}

#else

bool has_blas() { return false; }

void set_blas_threads(int) {}

void blas_product(const BlasProduct&) {}

#endif

}  // namespace switchyard::kernels
