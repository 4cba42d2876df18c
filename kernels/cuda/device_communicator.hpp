#pragma once

#include <memory>

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// The ranks of `over`, whose all_to_all takes memory of this GPU, too: handed on where `over`
/// takes it, else through pinned memory of the host. An all_to_all that fails ends the run
/// (kTransport).
///
/// @param over    borrowed; what is split off it is not
/// @param device  of this rank; made current in the thread of each all_to_all
[[nodiscard]] std::unique_ptr<Communicator> make_device_communicator(Communicator& over,
                                                                     int device);

}  // namespace switchyard::kernels
