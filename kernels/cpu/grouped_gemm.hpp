#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/cpu_backend.hpp"

namespace switchyard::kernels {

/// Products of the rows of each expert with its matrix. Expert e owns rows offsets[e] ..
/// offsets[e + 1]; T is float or BFloat16; sums are float, in an order that depends on the depth
/// alone; outputs are overwritten whole.
struct GroupedShape {
  std::span<const std::int32_t> offsets;  ///< (E + 1), offsets[0] is 0
  std::int64_t n = 0;
  std::int64_t k = 0;
};

/// y[r] = x[r] @ w[e]^T. x (R, k), w (E, n, k), y (R, n).
template <class T>
void grouped_forward(const GroupedShape& shape, const CpuBackend& cpu, const T* x, const T* w,
                     T* y);

/// dx[r] = dy[r] @ w[e]. dy (R, n), w (E, n, k), dx (R, k).
template <class T>
void grouped_data_gradient(const GroupedShape& shape, const CpuBackend& cpu, const T* dy,
                           const T* w, T* dx);

/// dw[e] = dy_e^T @ x_e, zero for an expert without rows. dy (R, n), x (R, k), dw (E, n, k).
template <class T>
void grouped_weight_gradient(const GroupedShape& shape, const CpuBackend& cpu, const T* dy,
                             const T* x, float* dw);

}  // namespace switchyard::kernels
