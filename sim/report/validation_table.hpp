#pragma once

#include <string>

#include "sim/report/validation_report.hpp"

namespace switchyard {

/// A report for a terminal: a block for each file (rows, errors beside those of the best constant,
/// order, ratios, what is far off and why), then all files in one table, then kernels by area.
[[nodiscard]] std::string format_table(const ValidationReport& report);

}  // namespace switchyard
