#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernels/measure/file_lock.hpp"

namespace switchyard {

/// How this machine is measured.
struct MeasureOptions {
  bool is_cuda = false;  ///< a GPU instead of the processor
  std::string budget = "3min";
  int threads = 1;        ///< of each rank
  int ranks = 2;          ///< side by side
  std::string sustained;  ///< how long each class runs without a pause; empty: not at all
  std::filesystem::path folder;
  bool is_quiet = false;
};

/// What was measured.
struct MeasuredFiles {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> failed_checks;   ///< kernels that are off, and were not timed
  std::optional<kernels::FileLock> folder;  ///< nobody else measures there meanwhile
};

/// Measures the kernels of this machine into points.csv of the folder, and with several ranks,
/// where there is an mpirun, collectives and layers over MPI into points_mpi.csv, for a fifth of
/// the budget; asked for sustained speeds, those as well. Of a GPU points alone, its collectives
/// need ranks of mpirun. Goes on with files of before.
/// @throws ConfigError with what cannot be measured, and where another run measures in that folder
/// @throws Interrupted by SIGINT and SIGTERM, which are as they were before when it returns
[[nodiscard]] MeasuredFiles measure_points(const MeasureOptions& options);

/// @throws ConfigError that names the kernels that were left out of a profile, if any
void refuse_failed_checks(const std::vector<std::string>& failed_checks);

}  // namespace switchyard
