#include "kernels/cpu/cpu_backend.hpp"

#include <string>

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

CpuBackend::CpuBackend(int num_threads) : num_threads_{num_threads} {
  if (num_threads < 1)
    throw KernelError{Fault::kSpec, "cpu: num_threads is " + std::to_string(num_threads) +
                                        ", expected at least 1"};
  if (num_threads > 1) pool_ = std::make_shared<ThreadPool>(num_threads - 1);
}

}  // namespace switchyard::kernels
