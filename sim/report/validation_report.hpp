#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/run_report.hpp"
#include "sim/report/validation_areas.hpp"

namespace switchyard {

/// Whether kernels of a row's device were measured, or its constants come from other devices and
/// datasheets.
enum class KernelData { kMeasured, kExtrapolated };

/// "measured" or "extrapolated".
[[nodiscard]] std::string_view kernel_data_name(KernelData data);

/// One reading of a row that its source does not exclude.
struct OpenOutcome {
  std::string name;
  double error = 0;  ///< relative: predicted / published - 1 of examples/s
  bool fits_in_memory = true;
};

/// A published figure beside its prediction.
struct ValidationRow {
  std::string name;
  PublishedRate published;
  PerSecond predicted;
  bool fits_in_memory = true;
  KernelData kernel_data = KernelData::kMeasured;
  double published_mfu = 0;       ///< of `published`, every key counted (ScoreCount::kFull)
  std::string why;                ///< why it is far off; may be empty
  std::vector<OpenOutcome> open;  ///< empty where the source leaves nothing open
};

/// The rows of one file.
struct ValidationBlock {
  std::string area;  ///< name of the experiment
  std::string title;
  std::uint64_t seed = 0;
  std::vector<ValidationRow> rows;
  std::vector<RatioReport> ratios;
};

/// All that `switchyard validate` says.
struct ValidationReport {
  EngineKind engine = EngineKind::kAnalytic;
  std::vector<ValidationBlock> blocks;
  std::vector<ValidationArea> areas = {};  ///< of kernels; empty where only files were asked for
};

/// predicted / published - 1 of examples/s, whatever the measure: above 0 is too fast.
[[nodiscard]] double row_error(const ValidationRow& row);

/// The prediction in the measure of the published figure.
[[nodiscard]] double predicted_figure(const ValidationRow& row);

/// Lowest and highest error over a row's prediction and all that is open.
struct ErrorSpread {
  double lowest = 0;
  double highest = 0;
};
/// Nothing where nothing is open.
[[nodiscard]] std::optional<ErrorSpread> error_spread(const ValidationRow& row);

/// The error of a named row.
struct NamedError {
  std::string name;
  double error = 0;  ///< relative, with its sign
};

/// Errors of a block's rows of that role (and class of kernel data), in order.
[[nodiscard]] std::vector<NamedError> model_errors(const ValidationBlock& block, Role role,
                                                   std::optional<KernelData> data = {});

/// Errors of the best constant for the predicted rows: each is predicted by one MFU, the geometric
/// mean of the published MFU of all other rows of the block, fit rows too. Empty when there is no
/// other row.
[[nodiscard]] std::vector<NamedError> constant_mfu_errors(const ValidationBlock& block);

/// Absolute errors; zeros of no rows.
struct AbsoluteErrors {
  int num_rows = 0;
  double median = 0;  ///< relative, as p90
  double p90 = 0;     ///< linear between order statistics, see quantile()
  double worst = 0;   ///< relative, with its sign; the first of equals
  std::string worst_name;
};
[[nodiscard]] AbsoluteErrors absolute_errors(std::span<const NamedError> errors);

/// Errors of an area's rows of one role, and those of its trivial baseline on the same rows.
struct AreaErrors {
  AbsoluteErrors model;
  AbsoluteErrors baseline;
};
[[nodiscard]] AreaErrors area_errors(const ValidationArea& area, bool is_fit);

/// How many pairs of predicted rows come in the right order, of those in the same measure whose
/// published figures differ by more than 5 % (larger / smaller > 1.05). Equal predictions are not
/// in order.
struct PairOrder {
  int num_right = 0;
  int num_pairs = 0;
};
[[nodiscard]] PairOrder pair_order(const ValidationBlock& block);

}  // namespace switchyard
