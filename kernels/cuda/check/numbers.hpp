#pragma once

#include "kernels/check/numbers.hpp"
#include "kernels/cuda/device_buffer.hpp"

namespace switchyard::kernels {

/// All bits set: NaN in float and in bfloat16. What a kernel does not write is seen.
template <class T>
void poison(DeviceBuffer<T>& buffer, std::size_t size, cudaStream_t stream) {
  buffer.resize(size);
  if (size == 0) return;
  check_cuda(cudaMemsetAsync(buffer.data(), 0xff, size * sizeof(T), stream), "cudaMemset");
}

template <class T>
Buffer<T> on_host(const DeviceBuffer<T>& buffer, cudaStream_t stream) {
  Buffer<T> result;
  copy_to_host<T>(buffer, result, stream);
  return result;
}

}  // namespace switchyard::kernels
