#pragma once

#include <string>

namespace switchyard {

/// Two whole lines, each with its end, between which a command writes.
struct TextMarks {
  std::string begin;
  std::string end;
};

/// `text` with what is between the marks replaced.
/// @param file  for the message
/// @throws ConfigError when `text` has not one of each, in this order.
[[nodiscard]] std::string with_marked_text(const std::string& text, const TextMarks& marks,
                                           const std::string& replacement, const std::string& file);

}  // namespace switchyard
