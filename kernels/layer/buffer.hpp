#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

/// Host memory for `size()` numbers, aligned to 64 bytes, not initialised. Keeps its memory when it
/// shrinks, so a buffer that is used step after step allocates once.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) { resize(size); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(memory_); }

  /// What was in the buffer is lost.
  /// @throws KernelError (kAllocation) with the number of bytes; the buffer is then empty.
  void resize(std::size_t size) {
    if (size > capacity_) {
      std::free(memory_);
      memory_ = nullptr;
      capacity_ = size_ = 0;
      constexpr std::size_t kLargest = std::size_t{1} << 46;  // half of a user address space
      const bool fits = size <= kLargest / sizeof(T);
      const std::size_t bytes = fits ? (size * sizeof(T) + 63) / 64 * 64 : 0;
      if (fits) memory_ = static_cast<T*>(std::aligned_alloc(64, bytes));
      if (memory_ == nullptr)
        throw KernelError{Fault::kAllocation, "cannot allocate " + std::to_string(size) + " * " +
                                                  std::to_string(sizeof(T)) + " bytes"};
      capacity_ = size;
    }
    size_ = size;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* data() { return memory_; }
  [[nodiscard]] const T* data() const { return memory_; }
  [[nodiscard]] T* begin() { return memory_; }
  [[nodiscard]] T* end() { return memory_ + size_; }
  [[nodiscard]] const T* begin() const { return memory_; }
  [[nodiscard]] const T* end() const { return memory_ + size_; }
  [[nodiscard]] T& operator[](std::size_t i) { return memory_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return memory_[i]; }
  operator std::span<T>() { return {memory_, size_}; }
  operator std::span<const T>() const { return {memory_, size_}; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace switchyard::kernels
