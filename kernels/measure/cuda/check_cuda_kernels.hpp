#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/measure/measure_backend.hpp"

namespace switchyard::kernels {

/// A comparison of kernels with the double reference, and the operators that it stands for. Throws
/// CheckFailed or KernelError.
struct OperatorCheck {
  std::vector<MeasuredOperator> of;
  bool is_bfloat16 = false;
  std::function<void(CudaBackend&)> run;
};

/// Small shapes first: experts without rows, tails of tiles; then several tiles.
[[nodiscard]] std::vector<OperatorCheck> product_checks();
[[nodiscard]] std::vector<OperatorCheck> row_checks();
[[nodiscard]] std::vector<OperatorCheck> router_and_layer_checks();

/// Runs all of them. @returns what failed
/// @throws KernelError (kDevice) when the device is lost to this process after one
[[nodiscard]] std::vector<FailedCheck> failed_cuda_checks(CudaBackend& cuda);

}  // namespace switchyard::kernels
