#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/cli/compare_training.hpp"

namespace switchyard {

/// For a terminal: measured beside replayed, then predicted beside measured.
[[nodiscard]] std::string comparison_tables(const TrainingComparison& comparison);

/// Keys in a fixed order that end in their unit; fractions are of the choices made.
[[nodiscard]] nlohmann::ordered_json comparison_json(const TrainingComparison& comparison);

}  // namespace switchyard
