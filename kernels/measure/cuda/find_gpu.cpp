#include "kernels/measure/cuda/find_gpu.hpp"

#include <cuda_runtime_api.h>

#include <cstdio>
#include <string>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw KernelError{Fault::kDevice, "--backend cuda: " + message};
}

/// 13000 is "13.0".
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string gigabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", 1e-9 * static_cast<double>(bytes));
  return text;
}

}  // namespace

double free_gpu_bytes() {
  std::size_t free = 0;
  std::size_t total = 0;
  check_cuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return static_cast<double>(free);
}

int require_gpu(int rank) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  if (status == cudaErrorInsufficientDriver) {
    int driver = 0;
    int runtime = 0;
    static_cast<void>(cudaDriverGetVersion(&driver));
    static_cast<void>(cudaRuntimeGetVersion(&runtime));
    if (driver == 0)
      refuse(
          "no driver of NVIDIA was found; run on a node with a GPU, or measure the processor with "
          "--backend cpu");
    refuse("the driver is too old: it has CUDA " + version_text(driver) + ", this build needs " +
           version_text(runtime) + "; update the driver, or run on a node with a newer one");
  }
  if (status != cudaSuccess && status != cudaErrorNoDevice)
    refuse(std::string{"CUDA does not start: "} + cudaGetErrorName(status) + ", " +
           cudaGetErrorString(status) + "; nvidia-smi says more");
  if (count == 0)
    refuse(
        "no GPU was found; run on a node with one (CUDA_VISIBLE_DEVICES may hide it), or measure "
        "the processor with --backend cpu");
  const int ordinal = rank % count;
  check_cuda(cudaSetDevice(ordinal), "cudaSetDevice");
  std::size_t free = 0;
  std::size_t total = 0;
  check_cuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  if (static_cast<double>(free) < kLeastFreeBytes)
    refuse("too little memory: " + gigabytes(free) + " of " + gigabytes(total) +
           " are free, expected " + gigabytes(static_cast<std::size_t>(kLeastFreeBytes)) +
           "; stop what uses it (nvidia-smi lists it), or choose another GPU with "
           "CUDA_VISIBLE_DEVICES");
  return ordinal;
}

}  // namespace switchyard::kernels
