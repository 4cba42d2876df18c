#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace switchyard {

/// Removes what an earlier calibration of that name wrote into the folder and this one did not:
/// profiles of links of other transports, a device's profile, a list of what was not used. Files of
/// these names that `switchyard calibrate` did not write stay.
/// @param written  names of files, of this calibration
/// @returns the names of those that were removed
/// @throws ConfigError where one cannot be removed
std::vector<std::string> remove_stale_files(const std::filesystem::path& folder,
                                            const std::string& name,
                                            const std::set<std::string>& written);

}  // namespace switchyard
