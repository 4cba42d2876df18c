#pragma once

#include <string>

#include "sim/cli/calibration/fit_points.hpp"
#include "sim/cli/calibration/import/import_points.hpp"

namespace switchyard {

/// Where a calibration goes.
struct CalibrationFiles {
  std::string base;  ///< see write_profile()
  std::string folder;
};

/// Writes the files of write_profile() and <name>.unused.csv where times were not used; files of an
/// earlier calibration of that name that this one has not are removed, which it says on stderr.
/// @throws ConfigError when the folder cannot be written
void write_calibration(const Calibration& calibration, const Imported& imported,
                       const CalibrationFiles& files);

/// "wrote ...; use it with --set system=...".
[[nodiscard]] std::string written_text(const Calibration& calibration, const Imported& imported,
                                       const std::string& folder);

}  // namespace switchyard
