#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

/// Random numbers of which each call takes others, so that what it reads is not in a cache: the
/// weights of a layer were used a step ago. T is float or BFloat16.
template <class T>
class RotatedMemory {
 public:
  /// Room for at least `size` numbers, and twice the last-level cache (at most 1 GiB).
  void reserve(std::size_t size);

  /// The next `size` numbers. Precondition: reserve() was told of as many.
  [[nodiscard]] T* next(std::size_t size);

 private:
  Buffer<T> numbers_;
  std::size_t at_ = 0;
};

/// Bytes of the last cache before memory, as the system says; 32 MiB where it does not.
[[nodiscard]] std::int64_t last_level_cache_bytes();

}  // namespace switchyard::kernels
