#pragma once

#include <filesystem>
#include <string>

#include "cost_models/anchor.hpp"
#include "sim/cli/value_type.hpp"

namespace switchyard {

/// Reads a file that `switchyard compare --anchor` wrote.
/// @throws ConfigError with every problem.
[[nodiscard]] Anchor read_anchor(const std::filesystem::path& file);

/// The anchor as read_anchor() reads it.
[[nodiscard]] std::string anchor_yaml(const Anchor& anchor);

/// Its parts, for results.
[[nodiscard]] Json anchor_json(const Anchor& anchor);

}  // namespace switchyard
