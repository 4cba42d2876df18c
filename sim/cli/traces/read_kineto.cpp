#include "sim/cli/traces/read_kineto.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/traces/kineto_event.hpp"
#include "sim/cli/traces/measured_text.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr int kMostLevels = 32;
constexpr std::size_t kMostProblems = 20;

}  // namespace

GpuTrace read_kineto(const std::string& text, const std::string& file) {
  GpuTrace trace;
  std::vector<std::string> problems;
  bool in_events = false;
  bool has_events = false;
  std::int64_t number = 0;
  const auto take = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMostLevels)
      throw ConfigError(fmt::format("{}: expected at most {} levels of JSON", file, kMostLevels));
    if (event == Json::parse_event_t::key && depth == 1) {
      in_events = parsed == "traceEvents";
      has_events = has_events || in_events;
    }
    if (event != Json::parse_event_t::object_end || depth != 2 || !in_events) return true;
    const std::string problem = add_kineto_event(parsed, trace);
    if (!problem.empty() && problems.size() < kMostProblems)
      problems.push_back(fmt::format("{}: event {}: {}", file, number, problem));
    ++number;
    return false;  // so that it is not kept
  };
  try {
    const Json root = Json::parse(text, take);
    if (!has_events)
      throw ConfigError(fmt::format(
          "{}: expected a trace of PyTorch's profiler with \"traceEvents\"; it has none", file));
    read_kineto_device(root, trace);
  } catch (const Json::parse_error& error) {
    throw ConfigError(fmt::format(
        "{}:{}: expected JSON; traces that end too early were still being written, or cut off",
        file, text_place(text, error.byte > 0 ? error.byte - 1 : 0)));
  } catch (const Json::exception&) {  // a number that no double holds
    throw ConfigError(fmt::format("{}: expected JSON with numbers in range", file));
  }
  if (!problems.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems, "\n")));
  if (trace.kernels.empty())
    throw ConfigError(fmt::format(
        "{}: has no kernels: record with activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]",
        file));
  std::ranges::stable_sort(trace.steps, {}, &TracedStep::start_us);
  return trace;
}

}  // namespace switchyard
