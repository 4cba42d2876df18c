#include "kernels/run/measure_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <thread>

#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/measure.hpp"

namespace switchyard::kernels {
namespace {

/// The one thing a signal handler may reach.
std::atomic<bool> is_interrupted =
    false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void interrupt(int /*signal*/) { is_interrupted = true; }

[[noreturn]] void refuse(const std::string& message) { throw KernelError{Fault::kSpec, message}; }

int count_of(const std::string& option, const std::string& text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 1 || count > 4096)
    refuse(option + ": expected a number from 1 to 4096, got \"" + text + "\"");
  return count;
}

Transport transport_of(const std::string& text) {
  if (text == "mpi") return Transport::kMpi;
  if (text == "loopback") return Transport::kLoopback;
  refuse("--transport: expected loopback or mpi, got \"" + text + "\"");
}

void draw(const MeasureProgress& progress) {
  constexpr int kWidth = 24;
  const double share = progress.total == 0 ? 0.0
                                           : static_cast<double>(progress.done) /
                                                 static_cast<double>(progress.total);
  std::string bar(static_cast<std::size_t>(share * kWidth), '#');
  bar.resize(kWidth, '.');
  const double left =
      std::min(progress.budget_s - progress.elapsed_s,
               share > 0.02 ? progress.elapsed_s * (1.0 / share - 1.0) : progress.budget_s);
  const auto seconds = static_cast<int>(std::max(0.0, left));
  std::fprintf(stderr, "\r[%s] %3.0f %%, %d:%02d left  %-24.24s", bar.c_str(), 100.0 * share,
               seconds / 60, seconds % 60,
               progress.point.substr(0, progress.point.find(',')).c_str());
}

}  // namespace

double duration_of(const std::string& text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit{end, text.data() + text.size()};
  std::erase(unit, ' ');
  const double factor = unit.empty() || unit == "s" ? 1.0
                        : unit == "min"             ? 60.0
                        : unit == "h"               ? 3600.0
                                                    : 0.0;
  if (error != std::errc{} || factor == 0.0 || !(number > 0.0) || number * factor > 1e6)
    refuse("budget: expected a time like 3min, 90 s or 1h, got \"" + text + "\"");
  return number * factor;
}

std::string software_text() {
  return std::string{"switchyard-kernels "} + SWITCHYARD_KERNELS_VERSION + ", " +
         isa_kernels().name;
}

MeasureResult measure_and_tell(MeasureSpec spec, bool is_quiet) {
  const bool draws = !is_quiet && isatty(STDERR_FILENO) != 0;
  if (draws) spec.progress = draw;
  spec.is_stopped = &is_interrupted;
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  const MeasureResult result = measure_machine(spec);
  if (draws) std::fputc('\n', stderr);
  if (result.done == 0) return result;  // a rank that does not write
  std::fprintf(
      stderr,
      "%zu of %zu measurements in %s; %.0f %% of them while the machine was slower than at "
      "its best\n",
      result.done, result.total, spec.file.c_str(), 100.0 * result.disturbed_share);
  if (result.was_stopped)
    std::fprintf(stderr, "interrupted; the same command goes on where it was\n");
  else if (result.ran_out_of_time)
    std::fprintf(stderr, "the budget is spent; the same command measures the rest\n");
  if (result.drift > 0.1)
    std::fprintf(stderr,
                 "warning: a reference product took up to %.0f %% longer (p90 over p10): clocks "
                 "drifted, or others worked on this machine; stop them, and run the same command "
                 "again to measure what was disturbed\n",
                 100.0 * result.drift);
  return result;
}

int measure_command(const std::vector<std::string>& arguments) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  MeasureSpec spec{
      .plan = {.ranks = std::min(2, cores)}, .file = "points.csv", .software = software_text()};
  using Take = std::function<void(const std::string& option, const std::string& value)>;
  const std::map<std::string, Take> options{
      {"--out", [&](const auto&, const auto& value) { spec.file = value; }},
      {"--budget",
       [&](const auto&, const auto& value) { spec.plan.budget_s = duration_of(value); }},
      {"--ranks",
       [&](const auto& option, const auto& value) { spec.plan.ranks = count_of(option, value); }},
      {"--threads",
       [&](const auto& option, const auto& value) { spec.plan.threads = count_of(option, value); }},
      {"--transport",
       [&](const auto&, const auto& value) { spec.plan.transport = transport_of(value); }}};
  bool is_quiet = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--quiet") {
      is_quiet = true;
      continue;
    }
    const auto found = options.find(arguments[i]);
    if (found == options.end())
      refuse("measure: unknown option \"" + arguments[i] + "\"; see switchyard-kernels --help");
    if (i + 1 == arguments.size()) refuse(arguments[i] + ": expected a value after it");
    found->second(arguments[i], arguments[i + 1]);
    ++i;
  }
  require_transport_of_launcher(spec.plan.transport);
  const MeasureResult result = measure_and_tell(spec, is_quiet);
  return result.was_stopped ? 3 : 0;
}

}  // namespace switchyard::kernels
