#pragma once

#include <string>

namespace switchyard {

/// The field as it stands in a CSV line: in quotes where it has to be.
[[nodiscard]] std::string csv_quoted(const std::string& field);

/// The text on one line, for a comment: control characters become spaces.
[[nodiscard]] std::string csv_comment(std::string text);

}  // namespace switchyard
