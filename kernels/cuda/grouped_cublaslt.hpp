#pragma once

#include "kernels/cuda/grouped_gemm.hpp"

namespace switchyard::kernels {

// The products of grouped_gemm.hpp as one cuBLASLt product for each expert, dealt out to
// cuda.cublas_lanes streams.

template <class T>
void grouped_forward_cublaslt(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* x,
                              const T* w, T* y);
template <class T>
void grouped_data_gradient_cublaslt(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                                    const T* w, T* dx);
template <class T>
void grouped_weight_gradient_cublaslt(const DeviceGroupedShape& shape, CudaBackend& cuda,
                                      const T* dy, const T* x, float* dw);

}  // namespace switchyard::kernels
