#pragma once

#include <cuda_runtime_api.h>

namespace switchyard::kernels {

/// Queues a kernel that does nothing.
void launch_empty_kernel(cudaStream_t stream);

}  // namespace switchyard::kernels
