#pragma once

#include <filesystem>
#include <string>

#include "cost_models/calibration/kernel_profile.hpp"

namespace switchyard {

/// A profile's name for files: "intel-r-xeon-r-processor-2-cores".
[[nodiscard]] std::string profile_name_of(const MeasuredDevice& device);

/// @throws ConfigError for a --name that could not stand in YAML and names of files as it is
void check_profile_name(const std::string& name);

/// @param folder  of the profile: a base that ends in .yaml is a file there, or as given
/// @throws ConfigError for a --base that `run` would not find, with the nearest names
void check_base(const std::string& base, const std::filesystem::path& folder);

}  // namespace switchyard
