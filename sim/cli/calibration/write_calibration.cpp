#include "sim/cli/calibration/write_calibration.hpp"

#include <cstdio>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "sim/cli/calibration/import/unused_report.hpp"
#include "sim/cli/calibration/stale_files.hpp"
#include "sim/cli/calibration/write_profile.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {

void write_calibration(const Calibration& calibration, const Imported& imported,
                       const CalibrationFiles& files) {
  const std::string& name = calibration.profile.name;
  std::set<std::string> written =
      write_profile(calibration, imported.points, files.base, files.folder);
  if (!imported.unused.empty()) {
    const std::string list = name + ".unused.csv";
    write_files_atomically(
        files.folder, {{list, [&](std::ostream& out) { out << unused_csv(imported.unused); }}});
    written.insert(list);
  }
  for (const std::string& stale : remove_stale_files(files.folder, name, written))
    fmt::print(stderr, "removed {}/{} of an earlier calibration: this one has no such file\n",
               files.folder, stale);
}

std::string written_text(const Calibration& calibration, const Imported& imported,
                         const std::string& folder) {
  const std::string start = fmt::format("{}/{}", folder, calibration.profile.name);
  std::string written = start + ".system.yaml";
  if (!calibration.profile.models.empty()) written = start + ".yaml and " + written;
  if (!imported.unused.empty())
    written += ", and all that was not used to " + start + ".unused.csv";
  return fmt::format("wrote {}; use it with --set system={}.system.yaml\n", written, start);
}

}  // namespace switchyard
