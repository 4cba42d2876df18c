#include "sim/cli/profile_text.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <fmt/format.h>

#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {

double rounded(double value) {
  if (value == 0.0) return 0.0;
  const double scale = std::pow(10.0, 2 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

std::string with_value(const std::string& text, const std::string& key, double value,
                       const std::string& file) {
  const std::regex place{"(" + key + ": *\\{value: *)[0-9.eE+-]+"};
  if (!std::regex_search(text, place))
    throw ConfigError(fmt::format(
        "{}: no \"{}: {{value: ...}}\" to change; write one with its provenance and range", file,
        key));
  return std::regex_replace(text, place, fmt::format("$01{}", value));
}

void rewrite_profile(const std::string& file,
                     const std::function<std::string(const std::string&)>& change) {
  std::ifstream in{file};
  if (!in) throw ConfigError(fmt::format("--write: cannot read \"{}\"", file));
  std::stringstream contents;
  contents << in.rdbuf();
  const std::string text = change(contents.str());
  const std::filesystem::path path{file};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  write_files_atomically(folder,
                         {{path.filename().string(), [&text](std::ostream& out) { out << text; }}});
  fmt::print(stderr, "wrote {}\n", file);
}

}  // namespace switchyard
