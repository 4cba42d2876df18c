#include "kernels/comm/gpu_staging.hpp"

#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

void require_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  throw KernelError{Fault::kDevice, std::string{call} + ": " + cudaGetErrorString(status)};
}

std::byte* GpuStaging::with_room_for(std::size_t bytes) {
  if (bytes <= bytes_) return memory_;
  cudaFree(memory_);
  memory_ = nullptr;
  bytes_ = 0;
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) != cudaSuccess)
    throw KernelError{Fault::kAllocation,
                      "cannot allocate " + std::to_string(bytes) + " bytes of GPU memory"};
  memory_ = static_cast<std::byte*>(memory);
  bytes_ = bytes;
  return memory_;
}

bool is_on_gpu(const void* pointer) {
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, pointer) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  return attributes.type == cudaMemoryTypeDevice;
}

}  // namespace switchyard::kernels
