#pragma once

#include "kernels/comm/communicator.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {

/// Runs the layers of `spec` on all ranks, which must call it together, and measures them.
/// @throws KernelError on all ranks: kSpec when ranks have another spec or another number of them,
///         kDevice for a backend that this build does not have, kNotFinite for outputs of the
///         last step; and what the layer throws
[[nodiscard]] RunMeasurement run_experiment(const RunSpec& spec, Communicator& ranks);

/// Precondition for exchanges: all ranks were given the same text.
/// @throws KernelError (kSpec) on all ranks unless they were
void require_same_on_all(Communicator& ranks, const std::string& what, const std::string& text);

}  // namespace switchyard::kernels
