#include "sim/cli/memory_warnings.hpp"

#include <algorithm>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "sim/core/units_format.hpp"
#include "sim/engine/run_memory.hpp"

namespace switchyard {
namespace {

/// What takes most memory, and what would make it fit.
std::string memory_warning(const ExperimentCase& c, const MemoryEstimate& memory) {
  const auto largest = std::ranges::max_element(
      kMemoryClasses, {}, [&](const MemoryClass& each) { return memory.*each.bytes; });
  std::string text = fmt::format(
      "{}: about {} of memory on the fullest rank{}, more than the {} that the device leaves; most "
      "is {} ({})",
      c.name, memory.total(),
      c.run.step.moe.dropless && c.run.draws > 0 ? " at perfect balance" : "",
      c.run.system.device.memory_usable * c.run.system.device.memory_capacity, largest->name,
      memory.*largest->bytes);
  const std::vector<MemoryRemedy> remedies = memory_remedies(c.run);
  if (remedies.empty())
    return text +
           "; no single change of recomputation, zero, microbatch, tensor or pipeline ranks "
           "makes it fit: more ranks, or several changes";
  std::vector<std::string> changes;
  for (const MemoryRemedy& remedy : remedies)
    changes.push_back(fmt::format("{} ({})", remedy.change, remedy.total));
  return text + "; would fit with one of: " + fmt::format("{}", fmt::join(changes, "; "));
}

}  // namespace

void warn_of_memory(const Experiment& experiment) {
  for (const ExperimentCase& c : experiment.cases) {
    const MemoryEstimate memory = fullest(memory_by_stage(c.run));
    if (!fits(memory, c.run.system.device)) spdlog::warn("{}", memory_warning(c, memory));
  }
}

void warn_of_draws(const RunReport& report) {
  for (const CaseReport& c : report.cases) {
    const double share = c.result.fits_probability;
    if (share >= 1.0 || c.result.memory_over_draws.p5 == c.result.memory_over_draws.p95) continue;
    spdlog::warn(
        "{}: as tokens are routed, {:.0f} % of the draws fit in memory; they need {} (median) to "
        "{} (95 %); what would fit at perfect balance may not. A capacity factor, a smaller "
        "microbatch or more ranks bound it",
        c.name, 100 * share, Bytes{c.result.memory_over_draws.p50},
        Bytes{c.result.memory_over_draws.p95});
  }
}

}  // namespace switchyard
