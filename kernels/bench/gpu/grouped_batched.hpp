#pragma once

#include <cublas_v2.h>

#include <vector>

#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// The grouped products by cublasGemmGroupedBatchedEx, for comparison alone. Needs host_offsets.
/// Gradients of weights are bfloat16, which is what it offers.
class GroupedBatched {
 public:
  explicit GroupedBatched(CudaBackend& cuda);
  GroupedBatched(const GroupedBatched&) = delete;
  GroupedBatched& operator=(const GroupedBatched&) = delete;
  ~GroupedBatched();

  /// A product of one expert in cuBLAS's terms, columns first.
  struct Problem {
    cublasOperation_t transpose_a, transpose_b;
    int m, n, k;
    const BFloat16* a;
    const BFloat16* b;
    BFloat16* c;
    int a_stride, b_stride, c_stride;
  };
  void set(const std::vector<Problem>& problems);
  /// Queues what was set.
  void run();

 private:
  CudaBackend& cuda_;
  cublasHandle_t handle_ = nullptr;
  std::vector<cublasOperation_t> transpose_a_, transpose_b_;
  std::vector<int> m_, n_, k_, a_stride_, b_stride_, c_stride_, group_size_;
  std::vector<float> alpha_, beta_;
  DeviceBuffer<const void*> a_, b_;
  DeviceBuffer<void*> c_;
};

}  // namespace switchyard::kernels
