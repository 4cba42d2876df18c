#include "sim/report/prediction_error.hpp"

#include <cmath>

namespace switchyard {

std::string_view role_name(Role role) { return role == Role::kFit ? "fit" : "predicted"; }

std::optional<double> relative_error(const CaseReport& report) {
  if (!report.published) return std::nullopt;
  return report.result.examples_rate / report.published->examples_rate - 1.0;
}

double relative_error(const RatioReport& ratio) { return ratio.predicted / ratio.published - 1.0; }

bool is_within_tolerance(const RatioReport& ratio) {
  return std::abs(relative_error(ratio)) <= ratio.tolerance;
}

ErrorSummary summarize_errors(const RunReport& report) {
  ErrorSummary summary;
  for (const CaseReport& row : report.cases) {
    const std::optional<double> error = relative_error(row);
    if (!error) continue;
    if (row.published->role == Role::kFit) {
      ++summary.num_fit;
      continue;
    }
    ++summary.num_predicted;
    summary.mean_absolute_error += std::abs(*error);
    if (summary.num_predicted == 1 || std::abs(*error) > std::abs(summary.largest_error)) {
      summary.largest_error = *error;
      summary.largest_error_case = row.name;
    }
  }
  if (summary.num_predicted > 0) summary.mean_absolute_error /= summary.num_predicted;
  return summary;
}

LeaveOneOutSummary summarize_leave_one_out(const RunReport& report) {
  LeaveOneOutSummary summary;
  for (const LeaveOneOut& row : report.leave_one_out) {
    summary.model += std::abs(row.model_error);
    summary.constant += std::abs(row.constant_error);
  }
  if (const auto rows = static_cast<double>(report.leave_one_out.size()); rows > 0) {
    summary.model /= rows;
    summary.constant /= rows;
  }
  return summary;
}

}  // namespace switchyard
