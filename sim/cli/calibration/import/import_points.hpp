#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sim/cli/calibration/import/imported_file.hpp"
#include "sim/cli/calibration/points_file.hpp"

namespace switchyard {

/// Files of somebody's own stack, and what they do not say themselves.
struct ImportRequest {
  std::vector<std::filesystem::path> files{};
  std::vector<std::filesystem::path> points{};  ///< files of points to go with them
  std::string format = "auto";                  ///< nccl-tests, operators, trace
  std::string software{};                       ///< empty: what each file says
  std::string device{};                         ///< the same
  std::string backend{};                        ///< the same; cuda where no file says it
  std::string collective{};                     ///< of logs that do not name theirs
  int ranks = 0;                                ///< of logs that do not list them
  std::filesystem::path folder{};  ///< imported_points.csv is written there, to go on with
};

struct Imported {
  MeasuredPoints points{};
  std::vector<UnusedTime> unused{};
  std::vector<std::string> warnings{};  ///< of files that were cut off, shapes that occur twice
  std::map<std::string, std::string> sources{};       ///< names of files, by operator
  std::vector<std::filesystem::path> points_files{};  ///< of points, that were not imported
};

/// Reads the files, each as what its text shows it to be, and makes one set of points of them.
/// @throws ConfigError with what is wrong in a file; when nothing says the software or the device,
///         or files disagree on it; when kernels of one operator are of two software stacks; when
///         no point is left.
[[nodiscard]] Imported import_points(const ImportRequest& request);

/// The shipped profile whose memory and links a device of that name has; the H100's where its name
/// says nothing.
[[nodiscard]] std::string base_profile_of(const std::string& device);

}  // namespace switchyard
