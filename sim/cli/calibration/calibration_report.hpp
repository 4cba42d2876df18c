#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/cli/calibration/calibration_rows.hpp"

namespace switchyard {

/// What is reported about a profile: its rows, layers among them (PointRole::kLayer).
struct CalibrationReport {
  std::string name;
  MeasuredDevice measured;
  std::vector<CalibrationRow> rows;
};

/// A table of operators, over held-out points or where there are none those fitted to; a table of
/// layers where there are any; warnings of intervals that do not hold and of a machine that
/// drifted.
[[nodiscard]] std::string format_calibration(const CalibrationReport& report);

/// A row for each point; see docs/calibrating.md for the columns.
[[nodiscard]] std::string calibration_csv(const CalibrationReport& report);
[[nodiscard]] nlohmann::ordered_json calibration_json(const CalibrationReport& report);

/// A warning where a reference product took more than 10 % longer at one time than at another;
/// empty otherwise.
[[nodiscard]] std::string drift_warning(const MeasuredDevice& measured);

}  // namespace switchyard
