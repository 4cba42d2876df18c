#include "kernels/cuda/check/check.hpp"

#include <algorithm>
#include <iterator>

namespace switchyard::kernels {

void require_error(const std::string& what, double error, double tolerance) {
  if (error <= tolerance) return;
  throw CheckFailed{what + ": error " + std::to_string(error) + ", expected at most " +
                    std::to_string(tolerance)};
}

void require_that(const std::string& what, bool condition) {
  if (!condition) throw CheckFailed{what};
}

std::vector<CudaCheck> cuda_checks() {
  std::vector<CudaCheck> all;
  for (auto some :
       {plan_checks(), grouped_gemm_checks(), layer_checks(), fault_checks(), rank_checks()})
    std::ranges::move(some, std::back_inserter(all));
  return all;
}

}  // namespace switchyard::kernels
