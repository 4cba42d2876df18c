#pragma once

#include <map>
#include <string>
#include <vector>

#include "cost_models/collective_profile.hpp"
#include "sim/cli/calibration/points_file.hpp"

namespace switchyard {

/// A point beside what a profile says about it.
struct CalibrationRow {
  std::string name{};  ///< operator
  std::string type{};  ///< float32, bfloat16
  std::string shape{};
  std::string transport = "none";
  int ranks = 1;
  int busy_ranks = 1;
  int threads = 1;
  PointRole role = PointRole::kFit;
  Seconds measured{};
  Seconds predicted{};
  Seconds low{};
  Seconds high{};
  Provenance provenance = Provenance::kFitted;
  double pass_ratio = 1;  ///< 1: one pass
  Seconds roofline{};     ///< baselines: see KernelBaseline; 0: none
  Seconds constant{};

  [[nodiscard]] double error() const { return predicted / measured - 1.0; }
  [[nodiscard]] bool is_covered() const { return low <= measured && measured <= high; }
};

/// Profiles of collectives, by transport.
using LinkProfiles = std::map<std::string, CollectiveProfile>;

/// Every kernel and collective of the points, by operator; those that nothing was fitted to are
/// left out.
[[nodiscard]] std::vector<CalibrationRow> calibration_rows(const KernelProfile& profile,
                                                           const LinkProfiles& links,
                                                           const MeasuredPoints& points);

/// What the rows of an operator say about its predictions.
struct OperatorErrors {
  std::string name;
  int fitted = 0;
  int held_out = 0;
  double noise = 0;  ///< median difference between two passes over one point
  KernelErrors error{};
  KernelErrors roofline{};
  KernelErrors constant{};
  double coverage = 0;  ///< share of held-out rows within their interval
  const CalibrationRow* worst = nullptr;
};

/// Errors of rows of `role` for each operator, in the order of the rows; then, with several, of all
/// together, named "all". The rows must outlive the result.
[[nodiscard]] std::vector<OperatorErrors> operator_errors(const std::vector<CalibrationRow>& rows,
                                                          PointRole role);

}  // namespace switchyard
