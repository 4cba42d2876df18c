#include "kernels/cuda/cuda_error.hpp"

#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

void check_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // else the next launch reports this error again
  const Fault fault = status == cudaErrorMemoryAllocation ? Fault::kAllocation : Fault::kDevice;
  throw KernelError{fault, std::string{"CUDA: "} + call + ": " + cudaGetErrorName(status) + ", " +
                               cudaGetErrorString(status)};
}

void check_cublas(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const Fault fault = status == CUBLAS_STATUS_ALLOC_FAILED ? Fault::kAllocation : Fault::kDevice;
  throw KernelError{fault, std::string{"cuBLAS: "} + call + ": " + cublasLtGetStatusName(status)};
}

void check_launch(const char* kernel) { check_cuda(cudaGetLastError(), kernel); }

}  // namespace switchyard::kernels
