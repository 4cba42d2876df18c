#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// Products of the rows of each expert with its matrix, in device memory. Expert e owns rows
/// offsets[e] .. offsets[e + 1]; arrays of rows have room for max_rows, and rows beyond offsets[E]
/// are not written; sums are float.
struct DeviceGroupedShape {
  const std::int32_t* offsets = nullptr;  ///< (E + 1) on the device, offsets[0] is 0
  int num_experts = 0;
  std::int64_t max_rows = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  /// (E + 1): offsets where the host knows them; else the route kCublasLt waits for them.
  std::span<const std::int32_t> host_offsets = {};
};

/// y[r] = x[r] @ w[e]^T. x (R, k), w (E, n, k), y (R, n). T is float or BFloat16.
template <class T>
void grouped_forward(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* x, const T* w,
                     T* y);

/// dx[r] = dy[r] @ w[e]. dy (R, n), w (E, n, k), dx (R, k).
template <class T>
void grouped_data_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                           const T* w, T* dx);

/// dw[e] = dy_e^T @ x_e, zero for an expert without rows. dy (R, n), x (R, k), dw (E, n, k).
template <class T>
void grouped_weight_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                             const T* x, float* dw);

/// grouped_forward with W1, and activate: pre (R, N1), hidden (R, d_ff). In one kernel where the
/// route is kWgmma and a GLU's rows are interleaved; pre may then be null, it is not kept.
template <class T>
void grouped_forward_activated(const DeviceGroupedShape& shape, const ExpertShape& experts,
                               CudaBackend& cuda, const T* x, const T* w, T* pre, T* hidden);

/// Experts whose offsets fit in the shared memory that the kernel's tiles leave.
inline constexpr int kMaxGroupedExperts = 2048;

/// Whether these shapes run on the route kWgmma: Hopper, bfloat16, n and k multiples of 8, up to
/// kMaxGroupedExperts experts.
/// @throws KernelError (kDevice) when the backend insists on kWgmma and they do not.
template <class T>
[[nodiscard]] bool uses_wgmma(const CudaBackend& cuda, const DeviceGroupedShape& shape);

}  // namespace switchyard::kernels
