#pragma once

#include <string>

#include "sim/report/run_report.hpp"

namespace switchyard {

/// A report as text for a terminal of 110 columns: the cases, the errors of the predicted ones, the
/// ratios, the leave-one-out errors and each case's breakdown by operator class. What the report
/// does not have (published rates, ratios, ...) is left out. Rows used for fitting say "fit" and
/// count in no error.
[[nodiscard]] std::string format_table(const RunReport& report);

}  // namespace switchyard
