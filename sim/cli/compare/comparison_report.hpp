#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/cli/compare/comparison.hpp"

namespace switchyard {

[[nodiscard]] std::string format_comparison(const Comparison& comparison);

/// A row for each class, then total and step; times in seconds.
[[nodiscard]] std::string comparison_csv(const Comparison& comparison);

[[nodiscard]] nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace switchyard
