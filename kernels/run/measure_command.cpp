#include "kernels/run/measure_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/measure.hpp"
#include "kernels/run/sustained_command.hpp"

namespace switchyard::kernels {
namespace {

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
  if (text == "nccl") return Transport::kNccl;
  refuse("--transport: expected loopback, mpi or nccl, got \"" + text + "\"");
}

MeasureDevice device_of(const std::string& text) {
  if (text == "cpu") return MeasureDevice::kCpu;
  if (text == "cuda") return MeasureDevice::kCuda;
  refuse("--backend: expected cpu or cuda, got \"" + text + "\"");
}

/// What a device measures without being told, and what it cannot.
void settle_ranks(MeasureSpec& spec, bool has_ranks, bool has_transport) {
  MeasurePlan& plan = spec.plan;
  if (spec.device == MeasureDevice::kCpu) {
    if (plan.transport == Transport::kNccl)
      refuse("--transport nccl: expected --backend cuda with it; of processes on cores it is mpi");
    return;
  }
  if (!has_transport) plan.transport = Transport::kNccl;
  if (!has_ranks) plan.ranks = 1;
  if (plan.transport != Transport::kNccl)
    refuse("--transport: expected nccl with --backend cuda, got another");
}

void tell_all(const char* what, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::fprintf(stderr, "%s: %s\n", what, line.c_str());
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

template <class Result>
int exit_status(const Result& result, const std::string& file, bool is_quiet) {
  if (!result.was_stopped) return result.failed_checks.empty() ? 0 : 2;
  if (!is_quiet)
    std::fprintf(stderr,
                 "interrupted; what was measured is in %s, and the same command goes on there\n",
                 file.c_str());
  return kInterruptedStatus;
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
    refuse("expected a time like 3min, 90 s or 1h, got \"" + text + "\"");
  return number * factor;
}

std::string software_text() {
  return std::string{"switchyard-kernels "} + SWITCHYARD_KERNELS_VERSION + ", " +
         isa_kernels().name;
}

MeasureResult measure_and_tell(MeasureSpec spec, bool is_quiet) {
  const bool draws = !is_quiet && isatty(STDERR_FILENO) != 0;
  if (draws) spec.progress = draw;
  spec.is_stopped = &stopped_by_signal();
  const MeasureResult result = measure_machine(spec);
  if (draws) std::fputc('\n', stderr);
  tell_all("not timed, its check failed", result.failed_checks);
  tell_all("skipped", result.skipped);
  if (result.done == 0) return result;  // a rank that does not write
  std::fprintf(
      stderr,
      "%zu of %zu measurements in %s; %.0f %% of them while the machine was slower than at "
      "its best\n",
      result.done, result.total, spec.file.c_str(), 100.0 * result.disturbed_share);
  if (spec.device == MeasureDevice::kCuda && spec.plan.ranks == 1)
    std::fprintf(stderr,
                 "not measured: attention and norms, which have no CUDA kernel here; collectives, "
                 "which need several GPUs (mpirun -np N switchyard-kernels measure --backend cuda "
                 "--ranks N)\n");
  if (result.ran_out_of_time)
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
  double sustained_s = 0.0;  // 0: points
  using Take = std::function<void(const std::string& option, const std::string& value)>;
  const std::map<std::string, Take> options{
      {"--backend", [&](const auto&, const auto& value) { spec.device = device_of(value); }},
      {"--sustained",
       [&](const auto&, const auto& value) { sustained_s = sustained_duration_of(value); }},
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
  std::set<std::string> given;
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
    given.insert(arguments[i]);
    ++i;
  }
  settle_ranks(spec, given.contains("--ranks"), given.contains("--transport"));
  require_transport_of_launcher(spec.plan.transport);
  if (sustained_s > 0.0) {
    const SustainedResult result = sustain_and_tell({.device = spec.device,
                                                     .plan = spec.plan,
                                                     .seconds = sustained_s,
                                                     .file = sustained_file_of(spec.file),
                                                     .software = spec.software},
                                                    is_quiet);
    return exit_status(result, sustained_file_of(spec.file), is_quiet);
  }
  const MeasureResult result = measure_and_tell(spec, is_quiet);
  return exit_status(result, spec.file, is_quiet);
}

}  // namespace switchyard::kernels
