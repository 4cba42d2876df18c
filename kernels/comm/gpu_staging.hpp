#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace switchyard::kernels {

/// @throws KernelError (kDevice) unless the CUDA call succeeded.
void require_cuda(cudaError_t status, const char* call);

/// GPU memory that grows when it must; what was in it is then lost.
class GpuStaging {
 public:
  GpuStaging() = default;
  ~GpuStaging() { cudaFree(memory_); }
  GpuStaging(const GpuStaging&) = delete;
  GpuStaging& operator=(const GpuStaging&) = delete;

  /// @throws KernelError (kAllocation)
  std::byte* with_room_for(std::size_t bytes);

 private:
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Whether a pointer is to GPU memory, not the host's.
[[nodiscard]] bool is_on_gpu(const void* pointer);

}  // namespace switchyard::kernels
