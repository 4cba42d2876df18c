#pragma once

#include "cost_models/calibration/kernel_profile.hpp"
#include "sim/cli/section.hpp"

namespace switchyard {

/// Version of the `kernels` of a device's profile; another is refused.
inline constexpr int kKernelsVersion = 1;

/// Whether a model may be without that constant: points of one rank, of one type, or with nothing
/// that it would count tell nothing of it, and it keeps its value of neutral_constants().
[[nodiscard]] bool may_miss(KernelConstant constant);

/// Reads them, and the points they name: those that were fitted to are predicted as measured. The
/// file of points is beside the profile.
/// @throws ConfigError as read_points(), where the points can be found.
[[nodiscard]] KernelProfile read_kernels(Section section);

}  // namespace switchyard
