#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

/// Measures the kernels of this machine into points.csv of the folder, and with several ranks,
/// where there is an mpirun, collectives and layers over MPI into points_mpi.csv, for a fifth of
/// the budget; asked for sustained speeds, those as well. Of a GPU points alone, its collectives
/// need ranks of mpirun. Goes on with files of before.
/// @returns the files
/// @throws ConfigError with what cannot be measured, and when it was interrupted
[[nodiscard]] std::vector<std::filesystem::path> measure_points(const MeasureOptions& options);

}  // namespace switchyard
