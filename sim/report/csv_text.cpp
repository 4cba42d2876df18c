#include "sim/report/csv_text.hpp"

#include <algorithm>
#include <cctype>

namespace switchyard {

std::string csv_quoted(const std::string& field) {
  // A first character of '#' would make the line a comment.
  if (field.find_first_of(",\"\r\n") == std::string::npos && !field.starts_with('#')) return field;
  std::string text = "\"";
  for (const char c : field) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

std::string csv_comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return text;
}

}  // namespace switchyard
