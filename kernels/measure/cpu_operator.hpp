#pragma once

#include <functional>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/measure/operator_point.hpp"
#include "kernels/measure/rotated_memory.hpp"

namespace switchyard::kernels {

/// Memory of one rank that points take turns to use.
struct MeasureMemory {
  RotatedMemory<float> floats;  ///< weights and their gradients
  RotatedMemory<BFloat16> bfloats;
};

/// What a point times, with its buffers: weights come from `memory`, other memory each time;
/// activations stay where they are, as the operator before has just written them in a layer.
/// The result borrows `memory`.
/// Precondition: neither a collective nor a layer.
/// @throws KernelError kSpec for an operator that this build has not, kAllocation
[[nodiscard]] std::function<void()> make_cpu_operator(const OperatorPoint& point,
                                                      const CpuBackend& cpu, MeasureMemory& memory);

}  // namespace switchyard::kernels
