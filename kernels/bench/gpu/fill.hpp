#pragma once

#include "kernels/cuda/device_buffer.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// Uniform numbers in (-1, 1), drawn on the device. T is float or BFloat16.
template <class T>
void fill_random(DeviceBuffer<T>& buffer, std::size_t size, std::uint64_t seed,
                 cudaStream_t stream);

}  // namespace switchyard::kernels
