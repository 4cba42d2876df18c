#pragma once

#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

// The products of grouped_gemm.hpp as one persistent kernel for Hopper. n and k are multiples of 8,
// arrays begin at multiples of 16 bytes.

void grouped_forward_wgmma(const DeviceGroupedShape& shape, CudaBackend& cuda, const BFloat16* x,
                           const BFloat16* w, BFloat16* y);

/// @param pre  (max_rows, n), or null
void grouped_forward_activated_wgmma(const DeviceGroupedShape& shape, Activation activation,
                                     CudaBackend& cuda, const BFloat16* x, const BFloat16* w,
                                     BFloat16* pre, BFloat16* hidden);

void grouped_data_gradient_wgmma(const DeviceGroupedShape& shape, CudaBackend& cuda,
                                 const BFloat16* dy, const BFloat16* w, BFloat16* dx);

void grouped_weight_gradient_wgmma(const DeviceGroupedShape& shape, CudaBackend& cuda,
                                   const BFloat16* dy, const BFloat16* x, float* dw);

}  // namespace switchyard::kernels
