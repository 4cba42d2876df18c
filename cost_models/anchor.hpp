#pragma once

#include <array>
#include <optional>
#include <string>

#include "cost_models/collective_schedule.hpp"
#include "sim/workload/time_class.hpp"

namespace switchyard {

/// One observed step beside its prediction: by how much each class of times was off. Later
/// predictions are multiplied by it.
struct Anchor {
  std::string experiment;  ///< whose step was predicted, with its case
  std::string trace;       ///< that it was compared with
  std::string date;
  std::array<double, kNumTimeClasses> factors = unit_factors();  ///< observed over predicted

  [[nodiscard]] static constexpr std::array<double, kNumTimeClasses> unit_factors() {
    std::array<double, kNumTimeClasses> ones{};
    ones.fill(1.0);
    return ones;
  }
};

/// 1 without an anchor.
[[nodiscard]] double anchor_factor(const std::optional<Anchor>& anchor, TimeClass time_class);

/// "step.json of 2026-11-22 (moe, case a)": what results say.
[[nodiscard]] std::string anchor_text(const Anchor& anchor);

/// Multiplies the time of a collective: its startup and what its messages carry. Latencies of
/// links stay, and a bound is lowered with the bytes, for a library that is faster than the profile
/// says has other algorithms or links.
void scale_time(CollectiveSchedule& schedule, double factor);

}  // namespace switchyard
