#pragma once

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/measure/cuda/cuda_timing.hpp"
#include "kernels/measure/cuda/device_memory.hpp"
#include "kernels/measure/operator_point.hpp"

namespace switchyard::kernels {

/// What a point queues on a GPU, with its buffers, as make_cpu_operator(): weights and copies take
/// other memory each time, activations stay where they are. The result borrows its arguments.
/// Precondition: neither a wait, a collective nor a layer.
/// @throws KernelError kSpec for an operator that has no CUDA kernel here, kAllocation
[[nodiscard]] CudaWork make_cuda_operator(const OperatorPoint& point, CudaBackend& cuda,
                                          DeviceMemory& memory);

/// The part of make_cuda_operator that is about rows: plan, permute, combine, activations.
[[nodiscard]] CudaWork make_row_operator(const OperatorPoint& point, CudaBackend& cuda);

/// std::function must be copied; buffers are not.
template <class State, class Queue>
[[nodiscard]] CudaWork work_on(State state, const Queue& queue) {
  return {.queue = [shared = std::make_shared<State>(std::move(state)), queue] { queue(*shared); }};
}

/// Random numbers on the device.
template <class T>
[[nodiscard]] DeviceBuffer<T> device_numbers(CudaBackend& cuda, std::int64_t size,
                                             std::uint64_t seed) {
  DeviceBuffer<T> numbers;
  fill_random(numbers, static_cast<std::size_t>(size), seed, cuda.stream());
  return numbers;
}

}  // namespace switchyard::kernels
