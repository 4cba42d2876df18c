#include "sim/cli/calibration/import/imported_file.hpp"

namespace switchyard {

std::string plain_words(std::string text) {
  for (char& c : text)
    if (c < ' ' || c > '~' || c == ':' || c == '#' || c == '"' || c == '\'') c = ' ';
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace switchyard
