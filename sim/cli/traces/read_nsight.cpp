#include "sim/cli/traces/read_nsight.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/message_text.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr double kLongest_us = 1e16;  // times may be Unix time

/// Fields of a line; those in quotes may have commas, and "" for a quote.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[i++];
    else if (c == '"')
      is_quoted = !is_quoted;
    else if (c == ',' && !is_quoted)
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

/// A column, and how many microseconds its unit is.
struct TimeColumn {
  std::size_t place = 0;
  double us = 0;  ///< 0: there is no such column
};

TimeColumn time_column(const std::vector<std::string>& head, std::string_view name) {
  for (std::size_t i = 0; i < head.size(); ++i)
    for (const auto& [unit, us] :
         {std::pair{"ns", 1e-3}, std::pair{"us", 1.0}, std::pair{"ms", 1e3}, std::pair{"s", 1e6}})
      if (head[i] == fmt::format("{} ({})", name, unit)) return {i, us};
  return {};
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

struct Head {
  std::size_t num_fields = 0;
  TimeColumn start;
  TimeColumn duration;
  std::size_t name = 0;
};

std::optional<Head> head_of(const std::vector<std::string>& fields) {
  const auto name = std::ranges::find(fields, "Name");
  const Head head{.num_fields = fields.size(),
                  .start = time_column(fields, "Start"),
                  .duration = time_column(fields, "Duration"),
                  .name = static_cast<std::size_t>(name - fields.begin())};
  if (name == fields.end() || head.start.us == 0 || head.duration.us == 0) return std::nullopt;
  return head;
}

/// What is wrong with a time; empty: nothing.
std::string read_time(const std::string& text, const TimeColumn& column, const char* name,
                      double& us) {
  const auto value = number(text);
  if (!value || *value < 0 || *value * column.us > kLongest_us)
    return fmt::format("{}: expected a number from 0 to 1e16 us, got {}", name, in_quotes(text));
  us = *value * column.us;
  return "";
}

}  // namespace

GpuTrace read_nsight(const std::string& text, const std::string& file) {
  GpuTrace trace;
  std::vector<std::string> problems;
  std::vector<std::string> devices;
  std::optional<Head> head;
  std::size_t device_place = 0;
  std::istringstream lines{text};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::vector<std::string> fields = fields_of(line);
    if (!head) {
      head = head_of(fields);
      device_place = static_cast<std::size_t>(std::ranges::find(fields, "Device") - fields.begin());
      continue;
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::string problem;
    TracedKernel kernel;
    if (fields.size() != head->num_fields) {
      problem = fmt::format("expected {} fields, got {}", head->num_fields, fields.size());
    } else {
      kernel.name = fields[head->name];
      problem = read_time(fields[head->start.place], head->start, "Start", kernel.start_us);
      if (problem.empty())
        problem =
            read_time(fields[head->duration.place], head->duration, "Duration", kernel.duration_us);
      const std::string device = device_place < fields.size() ? fields[device_place] : "";
      const auto known = std::ranges::find(devices, device);
      kernel.device = static_cast<int>(known - devices.begin());
      if (known == devices.end()) devices.push_back(device);
    }
    if (problem.empty())
      trace.kernels.push_back(std::move(kernel));
    else if (problems.size() < kMostProblems)
      problems.push_back(fmt::format("{}:{}: {}", file, number, problem));
  }
  if (!problems.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems, "\n")));
  if (trace.kernels.empty())
    throw ConfigError(fmt::format(
        "{}: expected rows under a head with Start (ns), Duration (ns) and Name, found none",
        file));
  if (!devices.empty()) trace.device = devices.front();
  return trace;
}

}  // namespace switchyard
