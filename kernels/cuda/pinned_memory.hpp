#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "kernels/cuda/cuda_error.hpp"

namespace switchyard::kernels {

/// Host memory that the device copies from and to at full speed. Grows when it must; what was in it
/// is then lost.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  ~PinnedMemory() { cudaFreeHost(memory_); }

  /// @throws KernelError (kAllocation) with the number of bytes.
  [[nodiscard]] std::byte* with_room_for(std::size_t bytes) {
    if (bytes <= bytes_) return memory_;
    cudaFreeHost(memory_);
    memory_ = nullptr;
    bytes_ = 0;
    void* memory = nullptr;
    check_cuda(cudaMallocHost(&memory, bytes),
               ("cannot allocate " + std::to_string(bytes) + " pinned bytes").c_str());
    memory_ = static_cast<std::byte*>(memory);
    bytes_ = bytes;
    return memory_;
  }

 private:
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace switchyard::kernels
