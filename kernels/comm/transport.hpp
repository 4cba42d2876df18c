#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

enum class Transport {
  kNone,      ///< one rank
  kLoopback,  ///< ranks as threads of this process
  kMpi,       ///< ranks as mpirun starts them
  kNccl,      ///< as kMpi where there is MPI, else one rank; each on a GPU of its own
};

/// By the value of the enumerator: none, loopback, mpi, nccl.
[[nodiscard]] std::vector<std::string> transport_names();

/// @throws KernelError (kSpec) when mpirun started several processes and the transport would run
///         all of its ranks in each of them.
void require_transport_of_launcher(Transport transport);

/// Calls `body` as each of `num_ranks` ranks that this process is.
/// What ranks of MPI do not agree on, kTransport and errors that are no KernelError, ends all of
/// them with a line on stderr and exit code 1, because others may wait for this one.
/// @throws KernelError (kSpec) when the transport has another number of ranks, and what `body` does
void run_on_transport(Transport transport, int num_ranks,
                      const std::function<void(Communicator&)>& body);

}  // namespace switchyard::kernels
