#pragma once

#include <algorithm>

#include "kernels/bench/gpu/fill.hpp"
#include "kernels/cuda/device_buffer.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// RotatedMemory of a GPU: each call takes other numbers, so that what it reads is not in the L2.
/// T is float or BFloat16.
template <class T>
class RotatedDeviceMemory {
 public:
  /// Room for at least `size` numbers, and twice the cache.
  void reserve(std::size_t size, double cache_bytes, cudaStream_t stream) {
    const auto past_cache = static_cast<std::size_t>(2.0 * cache_bytes) / sizeof(T);
    const std::size_t wanted = std::max(size, past_cache);
    if (numbers_.size() >= wanted) return;
    at_ = 0;
    fill_random(numbers_, wanted, 1, stream);
  }

  /// The next `size` numbers. Precondition: reserve() was told of as many.
  [[nodiscard]] T* next(std::size_t size) {
    constexpr std::size_t kAlignment = 256 / sizeof(T);
    if (at_ + size > numbers_.size()) at_ = 0;
    T* begin = numbers_.data() + at_;
    at_ += (size + kAlignment - 1) / kAlignment * kAlignment;
    return begin;
  }

  void release() {
    numbers_ = DeviceBuffer<T>{};
    at_ = 0;
  }

 private:
  DeviceBuffer<T> numbers_;
  std::size_t at_ = 0;
};

/// Memory of a GPU that points take turns to use.
struct DeviceMemory {
  double cache_bytes = 0.0;           ///< of the L2
  RotatedDeviceMemory<float> floats;  ///< copies, and gradients of weights
  RotatedDeviceMemory<BFloat16> bfloats;

  template <class T>
  RotatedDeviceMemory<T>& of() {
    if constexpr (std::is_same_v<T, float>)
      return floats;
    else
      return bfloats;
  }

  void release() {
    floats.release();
    bfloats.release();
  }
};

}  // namespace switchyard::kernels
