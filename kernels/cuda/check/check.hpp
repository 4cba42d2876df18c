#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_backend.hpp"

namespace switchyard::kernels {

/// One comparison of the CUDA backend with the CPU; throws CheckFailed or KernelError.
struct CudaCheck {
  std::string name;       ///< letters, digits and underscores
  bool is_small = false;  ///< quick enough to run under compute-sanitizer
  std::function<void(CudaBackend&)> run;
};

class CheckFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// @throws CheckFailed with `what` unless error is at most tolerance; NaN is not.
void require_error(const std::string& what, double error, double tolerance);
void require_that(const std::string& what, bool condition);

[[nodiscard]] std::vector<CudaCheck> plan_checks();
[[nodiscard]] std::vector<CudaCheck> grouped_gemm_checks();
[[nodiscard]] std::vector<CudaCheck> layer_checks();
[[nodiscard]] std::vector<CudaCheck> fault_checks();
[[nodiscard]] std::vector<CudaCheck> rank_checks();

/// All of them.
[[nodiscard]] std::vector<CudaCheck> cuda_checks();

}  // namespace switchyard::kernels
