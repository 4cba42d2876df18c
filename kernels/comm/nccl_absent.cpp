// What a build without NCCL has in place of nccl_communicator.cpp.
#include "kernels/comm/nccl_communicator.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

bool has_nccl() { return false; }

std::unique_ptr<Communicator> make_nccl_communicator(Communicator& /*start*/) {
  throw KernelError{Fault::kSpec, "transport: this build has no NCCL"};
}

}  // namespace switchyard::kernels
