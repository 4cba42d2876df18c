#pragma once

#include <functional>

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// Runs `body` as `num_ranks` ranks, each a thread of this process with a communicator of all.
///
/// When a body throws, the calls of the others that wait for it throw KernelError (kTransport), so
/// that none waits for ever.
/// @throws what the body threw that threw first; KernelError (kSpec) below 1 rank.
void run_loopback(int num_ranks, const std::function<void(Communicator&)>& body);

}  // namespace switchyard::kernels
