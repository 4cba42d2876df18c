#pragma once

#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernels/measure/operator_point.hpp"
#include "kernels/measure/points_head.hpp"

namespace switchyard::kernels {

/// What one pass measured of a point, seconds.
struct PointTiming {
  int repeats = 0;
  double median_s = 0.0;
  double p10_s = 0.0;
  double p90_s = 0.0;
};

/// The passes of one point that a file has.
struct PointPasses {
  int num_ranks = 1;  ///< that ran at once
  std::set<int> passes;
  std::vector<double> references_s;  ///< of the reference product beside each
};

/// A file of points that grows by a line for each, so that nothing measured is lost whatever ends
/// the run.
class PointsFile {
 public:
  /// Begins a file, or goes on with one that this machine and build began.
  /// @throws KernelError (kSpec) for a file of another machine, build, schema or number of threads,
  ///         and where it cannot be written
  /// @param has_clock  lines end with the device's clock in MHz, empty where it is not known
  PointsFile(std::string path, const PointsHead& head, bool has_clock = false);

  /// Whether that pass of the point is in the file.
  [[nodiscard]] bool has(const OperatorPoint& point, int pass) const;

  /// What is in the file, by the key of the point.
  [[nodiscard]] const std::map<std::string, PointPasses>& passes() const { return passes_; }

  /// The fastest reference product of points on that many ranks, infinite without any.
  [[nodiscard]] double fastest_reference_s(int num_ranks) const;

  /// Adds a line and hands it to the operating system.
  /// @throws KernelError (kSpec) when that fails (a full disk); lines before it stay
  void add(const OperatorPoint& point, int pass, const PointTiming& timing, double reference_s,
           std::optional<double> clock_mhz = std::nullopt);

 private:
  std::string path_;
  bool has_clock_;
  std::ofstream stream_;
  void remember(const std::string& key, int pass, int num_ranks, double reference_s);

  std::map<std::string, PointPasses> passes_;
  std::map<int, double> fastest_reference_s_;  ///< by number of ranks
};

}  // namespace switchyard::kernels
