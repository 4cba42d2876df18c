#pragma once

#include <functional>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/measure/operator_point.hpp"
#include "kernels/measure/quiet_samples.hpp"

namespace switchyard::kernels {

/// Steps of a whole layer on one GPU, by events: forward, and forward and backward. Replayed as
/// graphs where the host need not learn the loads (Hopper, bfloat16); queued otherwise.
/// Precondition: the point is a kLayerForwardBackward of one rank.
/// @throws KernelError kSpec, kAllocation
[[nodiscard]] std::function<Sample()> make_cuda_layer(const OperatorPoint& point,
                                                      CudaBackend& cuda);

}  // namespace switchyard::kernels
