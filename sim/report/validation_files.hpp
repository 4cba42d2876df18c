#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/report/validation_report.hpp"

namespace switchyard {

/// A line for each row, below a comment with the build. Columns end in the unit of their number;
/// `published` and `predicted` are in the one that `measure` names (step_time: seconds). Cells of
/// the spread are empty where nothing is open.
[[nodiscard]] std::string to_csv(const ValidationReport& report);

/// The same as one document, with the readings that are open one by one and the summaries:
///
///   switchyard, engine
///   files    area, title, seed, rows, summary (predicted rows; null without), ratios
///   areas    see areas_json()
///
/// Equal reports of one build give equal documents.
[[nodiscard]] nlohmann::ordered_json to_json(const ValidationReport& report);

}  // namespace switchyard
