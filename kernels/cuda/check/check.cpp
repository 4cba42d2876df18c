#include "kernels/cuda/check/check.hpp"

#include <algorithm>
#include <iterator>

namespace switchyard::kernels {

std::vector<CudaCheck> cuda_checks() {
  std::vector<CudaCheck> all;
  for (auto some :
       {plan_checks(), grouped_gemm_checks(), layer_checks(), fault_checks(), rank_checks()})
    std::ranges::move(some, std::back_inserter(all));
  return all;
}

}  // namespace switchyard::kernels
