#pragma once

#include <string>

#include "sim/report/run_report.hpp"

namespace switchyard {

/// A report as CSV: the line
///
///   # switchyard <version> git=<hash> seed=<n> experiment=<name> engine=<engine>
///
/// then a header and one row for each case, with the same columns but for evidence_columns(); each
/// ends in its unit unless it has none. A cell is empty where there is nothing to say (no published
/// rate, no MoE layers in that stack). `<class>_s` is the time of an operator class in one step.
/// Fields are quoted by RFC 4180, lines end in '\n'. Numbers are the shortest that read back to the
/// same double.
[[nodiscard]] std::string to_csv(const RunReport& report);

}  // namespace switchyard
