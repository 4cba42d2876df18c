#pragma once

#include <string>
#include <type_traits>

#include "kernels/cuda/router.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

/// Calls body(std::integral_constant) with the numbers of a row of experts that each lane holds: a
/// power of two.
/// @throws KernelError (kSpec) for more than kMaxExperts.
template <class Body>
void with_numbers_per_lane(int num_experts, const Body& body) {
  const auto try_one = [&]<int kPerLane>(std::integral_constant<int, kPerLane> per_lane) {
    if (num_experts > 32 * kPerLane) return false;
    body(per_lane);
    return true;
  };
  const auto try_in_turn = [&]<int... kPerLane>(std::integer_sequence<int, kPerLane...>) {
    return (try_one(std::integral_constant<int, kPerLane>{}) || ...);
  };
  if (!try_in_turn(std::integer_sequence<int, 1, 2, 4, 8, 16, 32, 64>{}))
    throw KernelError{Fault::kSpec, "layer: num_experts is " + std::to_string(num_experts) +
                                        ", expected at most " + std::to_string(kMaxExperts) +
                                        " with CUDA"};
}

}  // namespace switchyard::kernels
