#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "sim/cli/calibration/fit_points.hpp"

namespace switchyard {

/// Writes into `folder`, all at once:
///
///   <name>.yaml              the device: `base` changed by what was measured, with its kernels
///   <name>.points.csv        the points
///   <name>.<transport>.yaml  the collectives of each transport
///   <name>.system.yaml       a machine of such devices, for system: FILE
///
/// Where no kernel was measured there is no <name>.yaml, and the machine's devices are `base`.
/// @param base  the profile that has what was not measured: memory, and how layers are lowered
/// @returns the names of the files
/// @throws ConfigError when the folder cannot be written.
std::set<std::string> write_profile(const Calibration& calibration, const MeasuredPoints& points,
                                    const std::string& base, const std::filesystem::path& folder);

}  // namespace switchyard
