#pragma once

#include <functional>

#include "kernels/comm/communicator.hpp"
#include "kernels/measure/operator_point.hpp"
#include "kernels/measure/quiet_samples.hpp"

namespace switchyard::kernels {

/// Repeats of `work` on all ranks at once.
/// @param together  each repeat begins with a barrier (collectives)
[[nodiscard]] std::function<Sample()> timed(std::function<void()> work, Communicator& ranks,
                                            bool together);

/// What a collective point times on this rank.
/// @throws KernelError kSpec for another operator, kAllocation
[[nodiscard]] std::function<void()> make_collective(const OperatorPoint& point,
                                                    Communicator& ranks);

/// Steps of a whole layer with its weights; all ranks call it together.
/// Precondition: the point is a kLayerForwardBackward.
/// @throws KernelError on all ranks
[[nodiscard]] std::function<Sample()> make_layer(const OperatorPoint& point, Communicator& ranks);

}  // namespace switchyard::kernels
