#pragma once

#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/measure/operator_point.hpp"

namespace switchyard::kernels {

/// What the lines of a points file hold for, in order: {"device", "..."}.
using PointsHead = std::vector<std::pair<std::string, std::string>>;

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
  /// @throws KernelError (kSpec) for a file of another machine, build or schema, and where it
  /// cannot be
  ///         written
  PointsFile(std::string path, const PointsHead& head);

  /// Whether that pass of the point is in the file.
  [[nodiscard]] bool has(const OperatorPoint& point, int pass) const;

  /// What is in the file, by the key of the point.
  [[nodiscard]] const std::map<std::string, PointPasses>& passes() const { return passes_; }

  /// The fastest reference product of points on that many ranks, infinite without any.
  [[nodiscard]] double fastest_reference_s(int num_ranks) const;

  /// Adds a line and hands it to the operating system.
  /// @throws KernelError (kSpec) when that fails (a full disk); lines before it stay
  void add(const OperatorPoint& point, int pass, const PointTiming& timing, double reference_s);

 private:
  std::string path_;
  std::ofstream stream_;
  void remember(const std::string& key, int pass, int num_ranks, double reference_s);

  std::map<std::string, PointPasses> passes_;
  std::map<int, double> fastest_reference_s_;  ///< by number of ranks
};

}  // namespace switchyard::kernels
