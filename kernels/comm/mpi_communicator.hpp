#pragma once

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// Whether this build has MPI.
[[nodiscard]] bool has_mpi();

/// Whether the MPI library says that it takes pointers to GPU memory; false where it cannot say.
[[nodiscard]] bool mpi_takes_gpu_memory();

/// Initialises MPI, so that one thread at a time may call it, and is the group of all ranks; the
/// end of this communicator ends MPI. Once per process.
/// @throws KernelError kSpec without MPI, kTransport when it cannot have threads.
[[nodiscard]] std::unique_ptr<Communicator> make_mpi_world();

/// Ends all ranks of an MPI run with this exit code; ends this process where there is no MPI. For
/// errors that ranks do not agree on.
[[noreturn]] void abort_mpi_world(int exit_code);

}  // namespace switchyard::kernels
