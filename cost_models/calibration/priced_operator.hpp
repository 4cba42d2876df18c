#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cost_models/calibration/kernel_profile.hpp"
#include "cost_models/device_profile.hpp"
#include "sim/workload/operators.hpp"

namespace switchyard {

/// What an operator takes by the device's measured kernels, at the speed that the profile says;
/// nullopt where the device has none of this kind. An operator whose kernel is elsewhere takes
/// nothing. One in numbers of a type that was not measured is extrapolated.
[[nodiscard]] std::optional<KernelPrediction> priced_operator(const Operator& op,
                                                              const DeviceProfile& device);

/// The same of a kernel over experts.
/// @param loads  rows of each expert of a rank
[[nodiscard]] std::optional<KernelPrediction> priced_experts(const Operator& op,
                                                             const std::vector<std::int64_t>& loads,
                                                             const DeviceProfile& device);

/// The one that is worth less as evidence: measured, fitted, extrapolated, datasheet, assumed.
[[nodiscard]] Provenance worse(Provenance a, Provenance b);

}  // namespace switchyard
