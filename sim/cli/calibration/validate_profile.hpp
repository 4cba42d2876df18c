#pragma once

#include <filesystem>

#include "sim/cli/calibration/calibration_report.hpp"

namespace switchyard {

/// Predicts every point of a profile's file of points by the profile as it was written: kernels,
/// collectives, and whole layers as the simulator does.
/// @throws ConfigError when the profile or what it names cannot be read.
[[nodiscard]] CalibrationReport validate_profile(const std::filesystem::path& file);

}  // namespace switchyard
