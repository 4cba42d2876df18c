#pragma once

#include <functional>

#include "kernels/comm/communicator.hpp"
#include "kernels/measure/quiet_samples.hpp"

namespace switchyard::kernels {

/// Takes samples on all ranks, which call it together, for as long as rank 0 goes on.
void repeat_together(Communicator& ranks, const std::function<Sample()>& take,
                     const std::function<bool(double seconds)>& goes_on);

}  // namespace switchyard::kernels
