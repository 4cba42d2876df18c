#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/report/run_report.hpp"

namespace switchyard {

/// A report as one JSON document.
///
///   switchyard     version, git_hash, compiler
///   experiment, title, engine, seed
///   cases          name, input, results, published (or null), provenance
///   summary        errors of the predicted cases; null when nothing is published
///   ratios, leave_one_out
///
/// A key ends in the unit of its number; `*_fraction`, `mfu`, `expert_imbalance`, `predicted` and
/// `published` of a ratio have none. Provenance, per case: times and what follows from them are
/// "fitted" where the case's own published rate was used in the fit and "extrapolated" elsewhere;
/// memory and routing come from formulas and draws compared with no measurement: "assumed".
/// `constants` says the same of the constants used. On a device with measured kernels times have
/// the worst provenance of anything they consist of, and `kernels` is evidence_json().
/// `step_time_interval_s`, where the device has kernels or a step_interval, is StepEvidence's.
/// Holds neither times of day nor paths, so equal reports of one build give equal documents.
[[nodiscard]] nlohmann::ordered_json to_json(const RunReport& report);

/// Ratios of two cases beside their published values.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<RatioReport>& ratios);

/// The text of a document, indented by two, with a line end after it. Numbers are the shortest that
/// read back to the same double. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& document);

}  // namespace switchyard
