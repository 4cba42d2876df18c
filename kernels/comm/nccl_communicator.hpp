#pragma once

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// Whether this build has NCCL.
[[nodiscard]] bool has_nccl();

/// The ranks of `start` over NCCL. Rank r takes GPU r modulo the number of GPUs that it sees.
/// Exchanges memory of the host, staged through the GPU, or of the GPU as it is.
///
/// @param start   over which ranks find each other; not used afterwards
/// @throws KernelError on all ranks, kSpec: without NCCL; kDevice: no GPU, or two ranks on one,
/// which
///         NCCL does not take
[[nodiscard]] std::unique_ptr<Communicator> make_nccl_communicator(Communicator& start);

}  // namespace switchyard::kernels
