#include "kernels/cuda/grouped_gemm.hpp"

#include <string>
#include <type_traits>

#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/grouped_cublaslt.hpp"
#include "kernels/cuda/grouped_wgmma.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

bool is_fused(const ExpertShape& experts) {
  return !is_glu(experts.activation) || experts.layout == GluLayout::kInterleaved8;
}

std::size_t numbers(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

}  // namespace

template <class T>
bool uses_wgmma(const CudaBackend& cuda, const DeviceGroupedShape& shape) {
  if (cuda.route == GemmRoute::kCublasLt) return false;
  const bool can = std::is_same_v<T, BFloat16> && cuda.has_wgmma() && shape.n % 8 == 0 &&
                   shape.k % 8 == 0 && shape.num_experts <= kMaxGroupedExperts;
  if (!can && cuda.route == GemmRoute::kWgmma)
    throw KernelError{Fault::kDevice,
                      "grouped product: kWgmma needs Hopper, bfloat16, sizes that are multiples of "
                      "8 and at most " +
                          std::to_string(kMaxGroupedExperts) + " experts, got " +
                          cuda.device().name + ", n " + std::to_string(shape.n) + ", k " +
                          std::to_string(shape.k) + ", " + std::to_string(shape.num_experts) +
                          " experts"};
  return can;
}

template <class T>
void grouped_forward(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* x, const T* w,
                     T* y) {
  if constexpr (std::is_same_v<T, BFloat16>)
    if (uses_wgmma<T>(cuda, shape)) return grouped_forward_wgmma(shape, cuda, x, w, y);
  grouped_forward_cublaslt(shape, cuda, x, w, y);
}

template <class T>
void grouped_data_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                           const T* w, T* dx) {
  if constexpr (std::is_same_v<T, BFloat16>)
    if (uses_wgmma<T>(cuda, shape)) return grouped_data_gradient_wgmma(shape, cuda, dy, w, dx);
  grouped_data_gradient_cublaslt(shape, cuda, dy, w, dx);
}

template <class T>
void grouped_weight_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                             const T* x, float* dw) {
  if constexpr (std::is_same_v<T, BFloat16>)
    if (uses_wgmma<T>(cuda, shape)) return grouped_weight_gradient_wgmma(shape, cuda, dy, x, dw);
  grouped_weight_gradient_cublaslt(shape, cuda, dy, x, dw);
}

template <class T>
void grouped_forward_activated(const DeviceGroupedShape& shape, const ExpertShape& experts,
                               CudaBackend& cuda, const T* x, const T* w, T* pre, T* hidden) {
  if constexpr (std::is_same_v<T, BFloat16>)
    if (is_fused(experts) && uses_wgmma<T>(cuda, shape))
      return grouped_forward_activated_wgmma(shape, experts.activation, cuda, x, w, pre, hidden);
  if (pre == nullptr)
    throw KernelError{Fault::kShape, "pre: expected an array, got none: this route keeps it"};
  grouped_forward(shape, cuda, x, w, pre);
  activate<T>(experts, cuda, {shape.offsets + shape.num_experts, shape.max_rows},
              {pre, numbers(shape.max_rows, shape.n)},
              {hidden, numbers(shape.max_rows, experts.d_ff)});
}

template bool uses_wgmma<float>(const CudaBackend&, const DeviceGroupedShape&);
template bool uses_wgmma<BFloat16>(const CudaBackend&, const DeviceGroupedShape&);
template void grouped_forward(const DeviceGroupedShape&, CudaBackend&, const float*, const float*,
                              float*);
template void grouped_forward(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                              const BFloat16*, BFloat16*);
template void grouped_data_gradient(const DeviceGroupedShape&, CudaBackend&, const float*,
                                    const float*, float*);
template void grouped_data_gradient(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                                    const BFloat16*, BFloat16*);
template void grouped_weight_gradient(const DeviceGroupedShape&, CudaBackend&, const float*,
                                      const float*, float*);
template void grouped_weight_gradient(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                                      const BFloat16*, float*);
template void grouped_forward_activated(const DeviceGroupedShape&, const ExpertShape&, CudaBackend&,
                                        const float*, const float*, float*, float*);
template void grouped_forward_activated(const DeviceGroupedShape&, const ExpertShape&, CudaBackend&,
                                        const BFloat16*, const BFloat16*, BFloat16*, BFloat16*);

}  // namespace switchyard::kernels
