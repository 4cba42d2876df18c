#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace switchyard::kernels {

/// @param call  what was tried, for the message
/// @throws KernelError, kAllocation when memory was refused, else kDevice: call, name, explanation.
void check_cuda(cudaError_t status, const char* call);
void check_cublas(cublasStatus_t status, const char* call);

/// Of the launch just made.
void check_launch(const char* kernel);

}  // namespace switchyard::kernels
