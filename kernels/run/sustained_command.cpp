#include "kernels/run/sustained_command.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/measure_command.hpp"

namespace switchyard::kernels {
namespace {

/// The one thing a signal handler may reach.
std::atomic<bool> is_interrupted =
    false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void interrupt(int /*signal*/) { is_interrupted = true; }

std::string number_or_dash(const std::optional<double>& number) {
  if (!number) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", *number);
  return text;
}

}  // namespace

double sustained_duration_of(const std::string& text) {
  constexpr double kShortest = 10.0;  // of which the first two seconds are a fifth
  const double seconds = duration_of(text);
  if (seconds >= kShortest) return seconds;
  throw KernelError{Fault::kSpec,
                    "--sustained: expected at least 10 s, got \"" + text +
                        "\": the first 2 s are the start, the last half is what lasts, and "
                        "devices warm up for longer; try 60s"};
}

const std::atomic<bool>& stopped_by_signal() {
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  return is_interrupted;
}

SustainedResult sustain_and_tell(SustainedSpec spec, bool is_quiet) {
  if (!is_quiet && isatty(STDERR_FILENO) != 0)
    spec.progress = [seconds = spec.seconds](const std::string& name, const SustainedRow& row) {
      std::fprintf(stderr, "%-18s %4.0f of %.0f s, call %.4g ms, %s W, %s MHz\n", name.c_str(),
                   row.end_s, seconds, 1e3 * row.call_s, number_or_dash(row.state.power_w).c_str(),
                   number_or_dash(row.state.clock_mhz).c_str());
    };
  spec.is_stopped = &stopped_by_signal();
  const SustainedResult result = measure_sustained(spec);
  for (const std::string& failed : result.failed_checks)
    std::fprintf(stderr, "not run, its check failed: %s\n", failed.c_str());
  for (const auto& [name, rate] : result.rates)
    std::fprintf(stderr, "%-18s burst %.4g ms, sustained %.4g ms, %.3f of its speed after %.0f s\n",
                 name.c_str(), 1e3 * rate.burst_s, 1e3 * rate.sustained_s, rate.ratio(),
                 rate.seconds);
  return result;
}

}  // namespace switchyard::kernels
