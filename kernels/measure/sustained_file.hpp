#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "kernels/measure/machine_state.hpp"
#include "kernels/measure/points_head.hpp"

namespace switchyard::kernels {

/// A second of a class of operators, or another stretch of time.
struct SustainedRow {
  double end_s = 0.0;  ///< since the class began
  int calls = 0;
  double call_s = 0.0;  ///< median
  MachineState state = {};
};

/// How long a call takes at first, and after a while of nothing else.
struct SustainedRate {
  double burst_s = 0.0;      ///< median of the first 2 s, or of the first fifth where that is less
  double sustained_s = 0.0;  ///< median of the last half
  double seconds = 0.0;      ///< that the class ran

  /// Of speeds: below 1 where the device slowed down.
  [[nodiscard]] double ratio() const { return burst_s / sustained_s; }
};

/// Precondition: rows are in order, at least one.
[[nodiscard]] SustainedRate sustained_rate(const std::vector<SustainedRow>& rows);

/// Rows by class, and what the file says of the machine.
struct SustainedRows {
  PointsHead head;
  std::map<std::string, std::vector<SustainedRow>> classes;
};

/// Of a class that was begun twice, the rows of the last time. A last line that was not written to
/// its end is ignored.
/// @throws KernelError (kSpec) for a file that is not there or holds something else: by line
[[nodiscard]] SustainedRows read_sustained(const std::string& path);

/// "points.sustained.csv" of "points.csv".
[[nodiscard]] std::string sustained_file_of(const std::string& points_file);

/// A file of rows that grows by a line for each.
class SustainedFile {
 public:
  /// Begins a file, or goes on with one that this machine and build began.
  /// @throws KernelError (kSpec) as PointsFile
  SustainedFile(std::string path, const PointsHead& head);

  [[nodiscard]] const std::map<std::string, std::vector<SustainedRow>>& classes() const {
    return classes_;
  }

  /// Forgets rows of a class that is begun again.
  void begin(const std::string& name) { classes_.erase(name); }

  /// @param point  what is run, as point_key() without commas
  void add(const std::string& name, const std::string& point, const SustainedRow& row);

 private:
  std::string path_;
  std::ofstream stream_;
  std::map<std::string, std::vector<SustainedRow>> classes_;
};

}  // namespace switchyard::kernels
