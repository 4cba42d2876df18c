#include "kernels/cuda/grouped_cublaslt.hpp"

#include <algorithm>
#include <vector>

#include "kernels/cuda/matmul.hpp"

namespace switchyard::kernels {
namespace {

std::vector<std::int32_t> known_offsets(const DeviceGroupedShape& shape, const CudaBackend& cuda) {
  if (!shape.host_offsets.empty()) return {shape.host_offsets.begin(), shape.host_offsets.end()};
  std::vector<std::int32_t> offsets(static_cast<std::size_t>(shape.num_experts) + 1);
  check_cuda(cudaMemcpyAsync(offsets.data(), shape.offsets, offsets.size() * sizeof(std::int32_t),
                             cudaMemcpyDeviceToHost, cuda.stream()),
             "copy of the offsets");
  cuda.synchronize();
  return offsets;
}

/// Calls product(expert, first row, number of rows), which returns a Matmul, for each expert.
template <class MakeProduct>
void for_each_expert(const DeviceGroupedShape& shape, CudaBackend& cuda,
                     const MakeProduct& product) {
  const auto offsets = known_offsets(shape, cuda);
  const int num_lanes = std::clamp(cuda.cublas_lanes, 1, CudaBackend::kNumLanes);
  cuda.fork(num_lanes);
  for (int e = 0; e < shape.num_experts; ++e) {
    const std::int64_t row = offsets[static_cast<std::size_t>(e)];
    const std::int64_t rows = offsets[static_cast<std::size_t>(e) + 1] - row;
    matmul(cuda, product(std::int64_t{e}, row, rows), e % num_lanes);
  }
  cuda.join(num_lanes);
}

}  // namespace

template <class T>
void grouped_forward_cublaslt(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* x,
                              const T* w, T* y) {
  const std::int64_t n = shape.n;
  const std::int64_t k = shape.k;
  for_each_expert(shape, cuda, [&](std::int64_t e, std::int64_t row, std::int64_t rows) {
    return Matmul{.m = rows,
                  .n = n,
                  .k = k,
                  .a = {x + row * k, k},
                  .b = {w + e * n * k, k, true},
                  .operand_type = kNumberType<T>,
                  .c = y + row * n,
                  .c_stride = n,
                  .c_type = kNumberType<T>};
  });
}

template <class T>
void grouped_data_gradient_cublaslt(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                                    const T* w, T* dx) {
  const std::int64_t n = shape.n;
  const std::int64_t k = shape.k;
  for_each_expert(shape, cuda, [&](std::int64_t e, std::int64_t row, std::int64_t rows) {
    return Matmul{.m = rows,
                  .n = k,
                  .k = n,
                  .a = {dy + row * n, n},
                  .b = {w + e * n * k, k},
                  .operand_type = kNumberType<T>,
                  .c = dx + row * k,
                  .c_stride = k,
                  .c_type = kNumberType<T>};
  });
}

template <class T>
void grouped_weight_gradient_cublaslt(const DeviceGroupedShape& shape, CudaBackend& cuda,
                                      const T* dy, const T* x, float* dw) {
  const std::int64_t n = shape.n;
  const std::int64_t k = shape.k;
  for_each_expert(shape, cuda, [&](std::int64_t e, std::int64_t row, std::int64_t rows) {
    return Matmul{.m = n,
                  .n = k,
                  .k = rows,
                  .a = {dy + row * n, n, true},
                  .b = {x + row * k, k},
                  .operand_type = kNumberType<T>,
                  .c = dw + e * n * k,
                  .c_stride = k,
                  .c_type = NumberType::kFloat};
  });
}

template void grouped_forward_cublaslt(const DeviceGroupedShape&, CudaBackend&, const float*,
                                       const float*, float*);
template void grouped_forward_cublaslt(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                                       const BFloat16*, BFloat16*);
template void grouped_data_gradient_cublaslt(const DeviceGroupedShape&, CudaBackend&, const float*,
                                             const float*, float*);
template void grouped_data_gradient_cublaslt(const DeviceGroupedShape&, CudaBackend&,
                                             const BFloat16*, const BFloat16*, BFloat16*);
template void grouped_weight_gradient_cublaslt(const DeviceGroupedShape&, CudaBackend&,
                                               const float*, const float*, float*);
template void grouped_weight_gradient_cublaslt(const DeviceGroupedShape&, CudaBackend&,
                                               const BFloat16*, const BFloat16*, float*);

}  // namespace switchyard::kernels
