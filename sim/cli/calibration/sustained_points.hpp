#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cost_models/calibration/kernel_profile.hpp"

namespace switchyard {

/// Those asked for; where none are, the files of sustained speeds beside files of points that are
/// there.
[[nodiscard]] std::vector<std::filesystem::path> sustained_files(
    const std::vector<std::filesystem::path>& points,
    const std::vector<std::filesystem::path>& asked);

/// What the classes of the files keep, at most all of their speed: what is above is noise.
/// @throws ConfigError for a file of another device, an unknown class and what is no such file
[[nodiscard]] std::map<std::string, SustainedSpeed, std::less<>> sustained_speeds(
    const std::vector<std::filesystem::path>& files, const MeasuredDevice& device);

}  // namespace switchyard
