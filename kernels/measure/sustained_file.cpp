#include "kernels/measure/sustained_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/number_text.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {
namespace {

constexpr const char* kSchema = "# switchyard sustained 1";
constexpr const char* kColumns = "class,point,end_s,calls,call_median_s,power_w,clock_mhz";
constexpr std::size_t kNumColumns = 7;

[[noreturn]] void fail(const std::string& path, int line, const std::string& why) {
  throw KernelError{Fault::kSpec, path + ":" + std::to_string(line) + ": " + why};
}

std::optional<double> number_of(const std::string& text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

SustainedRow row_of(const std::string& path, int line, const std::vector<std::string>& cells) {
  if (cells.size() != kNumColumns)
    fail(path, line,
         "expected " + std::to_string(kNumColumns) + " columns, got " +
             std::to_string(cells.size()));
  const auto positive = [&](std::size_t column, const char* name) {
    const auto number = number_of(cells[column]);
    if (!number || *number <= 0.0)
      fail(path, line,
           std::string{name} + ": expected a positive number, got \"" + cells[column] + "\"");
    return *number;
  };
  return {.end_s = positive(2, "end_s"),
          .calls = static_cast<int>(std::min(1e9, positive(3, "calls"))),
          .call_s = positive(4, "call_median_s"),
          .state = {.power_w = number_of(cells[5]), .clock_mhz = number_of(cells[6])}};
}

double median_of(const std::vector<SustainedRow>& rows, double from_s, double to_s) {
  std::vector<double> seconds;
  for (const SustainedRow& row : rows)
    if (row.end_s > from_s && row.end_s <= to_s) seconds.push_back(row.call_s);
  return seconds.empty() ? 0.0 : spread_of(std::move(seconds)).median;
}

/// Lines that ended; empty for a file that is not there.
std::vector<std::string> whole_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in{path, std::ios::binary};
  for (std::string line; std::getline(in, line) && !in.eof();) lines.push_back(line);
  return lines;
}

SustainedRows rows_in(const std::string& path, const std::vector<std::string>& lines) {
  if (lines.empty() || lines.front() != kSchema)
    fail(path, 1, std::string{"expected \""} + kSchema + "\": it is no file of sustained speeds");
  SustainedRows result;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const std::size_t colon = line.find(": ");
    if (line == kColumns) continue;
    if (line.starts_with("# ")) {
      if (colon != std::string::npos)
        result.head.emplace_back(line.substr(2, colon - 2), line.substr(colon + 2));
      continue;
    }
    const auto cells = cells_of(line);
    const SustainedRow row = row_of(path, static_cast<int>(i) + 1, cells);
    auto& rows = result.classes[cells.front()];
    if (!rows.empty() && row.end_s <= rows.back().end_s) rows.clear();
    rows.push_back(row);
  }
  return result;
}

}  // namespace

SustainedRate sustained_rate(const std::vector<SustainedRow>& rows) {
  const double all = rows.back().end_s;
  // A row of a second ends a little after it.
  const double burst = std::max(1.05 * std::min(2.0, 0.2 * all), rows.front().end_s);
  return {.burst_s = median_of(rows, 0.0, burst),
          .sustained_s = median_of(rows, std::min(0.5 * all, 0.999 * all), all),
          .seconds = all};
}

SustainedRows read_sustained(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) fail(path, 1, "there is no such file");
  return rows_in(path, whole_lines(path));
}

std::string sustained_file_of(const std::string& points_file) {
  std::filesystem::path path{points_file};
  path.replace_extension(".sustained.csv");
  return path.string();
}

SustainedFile::SustainedFile(std::string path, const PointsHead& head) : path_{std::move(path)} {
  const auto lines =
      std::filesystem::is_regular_file(path_) ? whole_lines(path_) : std::vector<std::string>{};
  if (!lines.empty()) {
    classes_ = rows_in(path_, lines).classes;
    std::uintmax_t whole_bytes = 0;
    for (const std::string& line : lines) {
      whole_bytes += line.size() + 1;
      if (line != kSchema && line.starts_with("# ")) require_same_head(path_, line, head);
    }
    std::error_code error;
    std::filesystem::resize_file(path_, whole_bytes, error);
  }
  errno = 0;
  stream_.open(path_, std::ios::binary | (lines.empty() ? std::ios::trunc : std::ios::app));
  if (lines.empty()) stream_ << kSchema << '\n' << head_lines(head) << kColumns << '\n';
  stream_.flush();
  if (!stream_) cannot_write_points(path_);
}

void SustainedFile::add(const std::string& name, const std::string& point,
                        const SustainedRow& row) {
  const auto text = [](const std::optional<double>& number) {
    return number ? number_text(*number) : std::string{};
  };
  errno = 0;
  stream_ << name << ',' << point << ',' << number_text(row.end_s) << ',' << row.calls << ','
          << number_text(row.call_s) << ',' << text(row.state.power_w) << ','
          << text(row.state.clock_mhz) << '\n';
  stream_.flush();
  if (!stream_) cannot_write_points(path_);
  classes_[name].push_back(row);
}

}  // namespace switchyard::kernels
