#include "sim/cli/marked_text.hpp"

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {

std::string with_marked_text(const std::string& text, const TextMarks& marks,
                             const std::string& replacement, const std::string& file) {
  const std::size_t begin = text.find(marks.begin);
  const std::size_t end = text.find(marks.end);
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    throw ConfigError(fmt::format(
        "{}: expected a line \"{}\" and later one \"{}\", between which constants are replaced",
        file, marks.begin.substr(0, marks.begin.size() - 1),
        marks.end.substr(0, marks.end.size() - 1)));
  return text.substr(0, begin + marks.begin.size()) + replacement + text.substr(end);
}

}  // namespace switchyard
