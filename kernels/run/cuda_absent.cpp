// What a build without CUDA has in place of kernels/cuda/cuda_run_backend.cpp.
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/run_backend.hpp"

namespace switchyard::kernels {

bool has_cuda() { return false; }

int num_gpus() { return 0; }

std::unique_ptr<RunBackend> make_cuda_run_backend(Communicator& /*ranks*/) {
  throw KernelError{Fault::kDevice, "backend: this build has no CUDA"};
}

}  // namespace switchyard::kernels
