#include "kernels/comm/transport.hpp"

#include <cstdio>
#include <cstdlib>

#include "kernels/comm/loopback.hpp"
#include "kernels/comm/mpi_communicator.hpp"
#include "kernels/comm/nccl_communicator.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

void require_ranks(const char* transport, int has, int num_ranks) {
  if (has == num_ranks) return;
  throw KernelError{Fault::kSpec, std::string{"transport: "} + transport + " has " +
                                      std::to_string(has) + " ranks here, expected " +
                                      std::to_string(num_ranks)};
}

}  // namespace

std::vector<std::string> transport_names() { return {"none", "loopback", "mpi", "nccl"}; }

void require_transport_of_launcher(Transport transport) {
  if (transport == Transport::kMpi || (transport == Transport::kNccl && has_mpi())) return;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* size = std::getenv(name);
    if (size == nullptr || std::atoi(size) <= 1) continue;
    throw KernelError{Fault::kSpec, std::string{"transport: expected mpi, as mpirun started "} +
                                        size + " processes, got " +
                                        transport_names()[static_cast<std::size_t>(transport)]};
  }
}

void run_on_transport(Transport transport, int num_ranks,
                      const std::function<void(Communicator&)>& body) {
  if (transport == Transport::kLoopback) return run_loopback(num_ranks, body);
  const bool has_processes =
      transport == Transport::kMpi || (transport == Transport::kNccl && has_mpi());
  const auto world = has_processes ? make_mpi_world() : make_single_communicator();
  require_ranks(transport_names()[static_cast<std::size_t>(transport)].c_str(), world->num_ranks(),
                num_ranks);
  try {
    if (transport == Transport::kNccl)
      body(*make_nccl_communicator(*world));
    else
      body(*world);
  } catch (const std::exception& error) {
    const auto* fault = dynamic_cast<const KernelError*>(&error);
    const bool is_agreed = fault != nullptr && fault->fault() != Fault::kTransport;
    if (is_agreed || world->num_ranks() == 1) throw;
    std::fprintf(stderr, "rank %d: %s\n", world->rank(), error.what());
    abort_mpi_world(1);
  }
}

}  // namespace switchyard::kernels
