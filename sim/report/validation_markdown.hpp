#pragma once

#include <string>

#include "sim/report/validation_report.hpp"

namespace switchyard {

/// The summaries of to_json(report) as a table in Markdown, as README.md has it: for each file and
/// area, predicted rows first, what, n, fit or predicted, median, p90, worst with its name, and the
/// same of the trivial baseline. Below it stands whether our own kernels were measured on a GPU.
[[nodiscard]] std::string validation_markdown(const ValidationReport& report);

}  // namespace switchyard
