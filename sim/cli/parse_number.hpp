#pragma once

#include <cstdint>
#include <string_view>

#include "sim/cli/value_type.hpp"

namespace switchyard {

// Strict readers of numbers, which say what to write instead where that is clear. They accept less
// than YAML does: nothing that one tool reads as 8 and the next as 10.

[[nodiscard]] Parsed<std::int64_t> parse_whole_number(const YamlNode& scalar);
[[nodiscard]] Parsed<double> parse_number(const YamlNode& scalar);

/// Whether some YAML reader takes this plain text for a number or for a boolean.
[[nodiscard]] bool looks_like_number(std::string_view text);
[[nodiscard]] bool looks_like_boolean(std::string_view text);

}  // namespace switchyard
