#pragma once

#include <functional>

#include "kernels/comm/communicator.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/measure/operator_point.hpp"

namespace switchyard::kernels {

/// As make_collective(), of memory of this rank's GPU. All-gathers exchange memory of the host here
/// and are not measured.
/// @param ranks  that take memory of GPUs
/// @throws KernelError kSpec for another operator, kAllocation
[[nodiscard]] std::function<void()> make_cuda_collective(const OperatorPoint& point,
                                                         CudaBackend& cuda, Communicator& ranks);

}  // namespace switchyard::kernels
