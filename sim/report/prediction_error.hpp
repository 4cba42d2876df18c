#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/report/run_report.hpp"

namespace switchyard {

/// "fit" or "predicted".
[[nodiscard]] std::string_view role_name(Role role);

/// predicted / published - 1 of a case's examples/s; nothing without a published rate.
[[nodiscard]] std::optional<double> relative_error(const CaseReport& report);

/// predicted / published - 1.
[[nodiscard]] double relative_error(const RatioReport& ratio);

/// Whether a ratio's error is at most its tolerance.
[[nodiscard]] bool is_within_tolerance(const RatioReport& ratio);

/// How far the predicted rows are off. Fit rows are counted but their errors are not.
struct ErrorSummary {
  int num_predicted = 0;
  int num_fit = 0;
  double mean_absolute_error = 0;  ///< relative; 0 without predicted rows
  double largest_error = 0;        ///< relative, with its sign; the first of equals
  std::string largest_error_case;
};
[[nodiscard]] ErrorSummary summarize_errors(const RunReport& report);

/// Mean absolute errors over the rows left out in turn; zeros without rows.
struct LeaveOneOutSummary {
  double model = 0;
  double constant = 0;
};
[[nodiscard]] LeaveOneOutSummary summarize_leave_one_out(const RunReport& report);

}  // namespace switchyard
