#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

/// Memory of the current CUDA device for `size()` numbers, not initialised. Keeps its memory when
/// it shrinks; a growing resize waits for the device, so size buffers before capturing a graph.
template <class T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(std::size_t size) { resize(size); }
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer() { cudaFree(memory_); }

  /// What was in the buffer is lost.
  /// @throws KernelError (kAllocation) with the number of bytes; the buffer is then empty.
  void resize(std::size_t size) {
    if (size > capacity_) {
      check_cuda(cudaFree(memory_), "cudaFree");
      memory_ = nullptr;
      capacity_ = size_ = 0;
      void* memory = nullptr;
      const bool fits = size <= (~std::size_t{0} >> 1) / sizeof(T);
      const auto status = fits ? cudaMalloc(&memory, size * sizeof(T)) : cudaErrorMemoryAllocation;
      if (status != cudaSuccess)
        check_cuda(status, ("cannot allocate " + std::to_string(size) + " * " +
                            std::to_string(sizeof(T)) + " bytes")
                               .c_str());
      memory_ = static_cast<T*>(memory);
      capacity_ = size;
    }
    size_ = size;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* data() { return memory_; }
  [[nodiscard]] const T* data() const { return memory_; }
  /// Device memory: not for the host to read.
  operator std::span<T>() { return {memory_, size_}; }
  operator std::span<const T>() const { return {memory_, size_}; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Both copies have ended when these return.
template <class T>
void copy_to_device(std::span<const T> from, DeviceBuffer<T>& to, cudaStream_t stream) {
  to.resize(from.size());
  if (from.empty()) return;
  check_cuda(
      cudaMemcpyAsync(to.data(), from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream),
      "copy to the device");
  check_cuda(cudaStreamSynchronize(stream), "copy to the device");
}

template <class T>
void copy_to_host(std::span<const T> from, Buffer<T>& to, cudaStream_t stream) {
  to.resize(from.size());
  if (from.empty()) return;
  check_cuda(
      cudaMemcpyAsync(to.data(), from.data(), from.size_bytes(), cudaMemcpyDeviceToHost, stream),
      "copy to the host");
  check_cuda(cudaStreamSynchronize(stream), "copy to the host");
}

}  // namespace switchyard::kernels
