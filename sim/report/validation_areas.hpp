#pragma once

#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/core/units.hpp"

namespace switchyard {

/// One published time of a kernel, a layer or a transfer beside two predictions.
struct AreaRow {
  std::string name;
  bool is_fit = false;  ///< constants were fitted to it: no evidence
  Seconds measured;
  Seconds predicted;
  Seconds baseline;

  [[nodiscard]] double error() const { return predicted / measured - 1.0; }
  [[nodiscard]] double baseline_error() const { return baseline / measured - 1.0; }
};

/// What published tables say about one part of a step.
struct ValidationArea {
  std::string name;
  std::string baseline;  ///< what the trivial prediction is
  std::vector<AreaRow> rows;
};

/// A table with a line for each area and role, worst rows by name; nothing without areas. Below it
/// stands that our own kernels are unproven on GPUs: all rows are of other people's kernels.
[[nodiscard]] std::string areas_table(std::span<const ValidationArea> areas);

/// [{area, baseline, fit, predicted, rows}], where fit and predicted are num_rows,
/// median_absolute_error_fraction, p90_…, worst_error_fraction, worst_row and
/// baseline_median_…, baseline_p90_…, or null without rows.
[[nodiscard]] nlohmann::ordered_json areas_json(std::span<const ValidationArea> areas);

/// A line for each row, below a comment with the build:
/// area,row,role,measured_us,predicted_us,baseline_us
[[nodiscard]] std::string areas_csv(std::span<const ValidationArea> areas);

}  // namespace switchyard
