#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/report/run_report.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {

/// Of a case on a device with measured kernels: where its times come from.
///
///   worst                        of anything that takes time
///   measured_fraction, ...       shares of the step's time but `idle`, one for each provenance
///   classes                      class, time_s, its 90 % interval (interval_s), worst, and
///   measured_s,
///                                fitted_s, ... as far as they are above 0
///   unproven                     what is extrapolated or worse, longest first: name, provenance,
///                                step_fraction
///
/// Precondition: the case has evidence with kernels (checked).
[[nodiscard]] nlohmann::ordered_json evidence_json(const CaseReport& row);

/// Columns of a CSV: none where no case has evidence; else step_time_low_s and step_time_high_s,
/// and where a case has kernels measured_fraction, ..., assumed_fraction and worst_provenance.
[[nodiscard]] std::vector<std::string> evidence_columns(const RunReport& report);

/// Their cells for a case; empty where it has none.
[[nodiscard]] std::vector<std::string> evidence_cells(const RunReport& report,
                                                      const CaseReport& row);

/// A line for the step and for each class of cases with measured kernels: the time, its interval,
/// and how much of it comes from where, in percent. No rows without such cases.
[[nodiscard]] TextTable table_of_evidence(const RunReport& report);

}  // namespace switchyard
