// What a build without MPI has in place of mpi_communicator.cpp.
#include <cstdlib>

#include "kernels/comm/mpi_communicator.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

bool has_mpi() { return false; }

bool mpi_takes_gpu_memory() { return false; }

std::unique_ptr<Communicator> make_mpi_world() {
  throw KernelError{Fault::kSpec, "transport: this build has no MPI"};
}

void abort_mpi_world(int exit_code) { std::exit(exit_code); }

}  // namespace switchyard::kernels
