#include "sim/cli/unproven_warnings.hpp"

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace switchyard {
namespace {

constexpr double kMostUnproven = 0.1;  // share of a step's time
constexpr std::size_t kNamed = 4;

}  // namespace

void warn_of_unproven_times(const RunReport& report) {
  for (const CaseReport& c : report.cases) {
    if (!c.evidence || !c.evidence->has_kernels) continue;
    const double share = unproven_share(*c.evidence);
    if (share <= kMostUnproven) continue;
    std::vector<std::string> names;
    for (const UnprovenTime& part : c.evidence->unproven) {
      if (names.size() == kNamed) break;
      names.push_back(fmt::format("{} ({}, {:.1f} %)", part.name, provenance_name(part.provenance),
                                  100 * part.share_of_step));
    }
    spdlog::warn(
        "{}: {:.0f} % of the time is of operators that no measured kernel runs, or runs at such "
        "sizes; largest: {}",
        c.name, 100 * share, fmt::join(names, ", "));
  }
}

void warn_of_anchors(const RunReport& report) {
  for (const CaseReport& c : report.cases)
    if (!c.anchored_to.empty() && c.result.mfu > 1.0)
      spdlog::warn(
          "{}: MFU is {:.0f} %: anchored to {}, the step takes less time than its products at the "
          "device's peak; that trace was of less work than the step it was compared with (batch, "
          "microbatches, ranks?), or of a faster device",
          c.name, 100 * c.result.mfu, c.anchored_to);
}

}  // namespace switchyard
