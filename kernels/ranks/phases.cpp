#include "kernels/ranks/phases.hpp"

namespace switchyard::kernels {

const char* phase_name(Phase phase) {
  constexpr std::array<const char*, kNumPhases> kNames{"router",
                                                       "plan",
                                                       "permute",
                                                       "counts",
                                                       "dispatch",
                                                       "sort",
                                                       "experts",
                                                       "tensor_all_reduce",
                                                       "return",
                                                       "wait",
                                                       "combine",
                                                       "combine_backward",
                                                       "return_backward",
                                                       "sort_backward",
                                                       "experts_backward",
                                                       "tensor_all_reduce_backward",
                                                       "dispatch_backward",
                                                       "wait_backward",
                                                       "router_backward",
                                                       "permute_backward",
                                                       "counts_backward",
                                                       "gradient_all_reduce"};
  return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace switchyard::kernels
