#include "kernels/cuda/tensor_map.hpp"

#include <array>
#include <string>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

/// From the driver that is loaded: linking libcuda would keep the program from starting without.
Encode encode_function() {
  static const Encode encode = [] {
    void* address = nullptr;
    cudaDriverEntryPointQueryResult found{};
    check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &address, 12000,
                                                cudaEnableDefault, &found),
               "cudaGetDriverEntryPoint");
    if (found != cudaDriverEntryPointSuccess || address == nullptr)
      throw KernelError{Fault::kDevice, "CUDA: the driver has no cuTensorMapEncodeTiled"};
    return reinterpret_cast<Encode>(address);
  }();
  return encode;
}

}  // namespace

CUtensorMap make_tensor_map(const TensorMapShape& shape) {
  const bool is_stack = shape.matrices > 0;
  const auto rows = static_cast<cuuint64_t>(shape.rows);
  const auto columns = static_cast<cuuint64_t>(shape.columns);
  const std::array<cuuint64_t, 3> sizes{columns, rows, static_cast<cuuint64_t>(shape.matrices)};
  const std::array<cuuint64_t, 2> strides{columns * sizeof(BFloat16),
                                          rows * columns * sizeof(BFloat16)};
  const std::array<cuuint32_t, 3> box{kBoxColumns, static_cast<cuuint32_t>(shape.box_rows), 1};
  const std::array<cuuint32_t, 3> steps{1, 1, 1};
  CUtensorMap map{};
  const CUresult status =
      encode_function()(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, is_stack ? 3 : 2,
                        const_cast<BFloat16*>(shape.data), sizes.data(), strides.data(), box.data(),
                        steps.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                        CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS)
    throw KernelError{Fault::kDevice, "CUDA: cuTensorMapEncodeTiled: error " +
                                          std::to_string(static_cast<int>(status)) + " for (" +
                                          std::to_string(shape.matrices) + ", " +
                                          std::to_string(shape.rows) + ", " +
                                          std::to_string(shape.columns) + "), boxes of " +
                                          std::to_string(shape.box_rows) + " rows"};
  return map;
}

}  // namespace switchyard::kernels
