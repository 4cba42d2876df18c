#include "sim/cli/calibration/import/import_format.hpp"

#include <sstream>

#include <fmt/format.h>

#include "sim/cli/calibration/import/launcher_labels.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// Lines in which heads of tables are looked for: programs say this and that before them.
constexpr int kFirstLines = 2000;

bool has(const std::string& line, std::string_view word) {
  return line.find(word) != std::string::npos;
}

}  // namespace

MeasuredFormat measured_format(const std::string& text, const std::string& file) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string::npos && (text[first] == '{' || text[first] == '[')) {
    // A list, or the label of a rank.
    const std::string line = text.substr(first, text.find('\n', first) - first);
    if (without_label(line).rank.empty()) return MeasuredFormat::kKineto;
  }
  if (text.starts_with("# switchyard points ")) return MeasuredFormat::kPoints;
  if (text.starts_with("SQLite format 3"))
    throw ConfigError(fmt::format(
        "{}: is a database of Nsight Systems, which is not read; export it: nsys stats --report "
        "cuda_gpu_trace --format csv --output . REPORT.nsys-rep",
        file));
  std::istringstream lines{text};
  int number = 0;
  for (std::string line; number < kFirstLines && std::getline(lines, line); ++number) {
    if (has(line, "Duration (") && has(line, "Name")) return MeasuredFormat::kNsight;
    if (has(line, "algbw") && has(line, "busbw")) return MeasuredFormat::kNcclTests;
    if (has(line, "nccl-tests") || has(line, "nThread")) return MeasuredFormat::kNcclTests;
    if (line.starts_with("operator,") || has(line, "time_us")) return MeasuredFormat::kOperators;
  }
  throw ConfigError(fmt::format(
      "{}: expected a log of nccl-tests, a CSV with the columns operator,shape,type,time_us, a "
      "trace "
      "of PyTorch (Chrome JSON), a CSV of nsys stats --report cuda_gpu_trace, or a file of points; "
      "it is none of them (--import-format says which it should be read as)",
      file));
}

}  // namespace switchyard
