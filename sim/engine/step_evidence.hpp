#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sim/engine/training_run.hpp"

namespace switchyard {

/// An operator of all layers, or a collective of one class, whose time nobody measured.
struct UnprovenTime {
  std::string name;  ///< "decoder.*.attention.core.backward", or the class of a collective
  Provenance provenance = Provenance::kAssumed;
  double share_of_step = 0;
};

/// What a predicted step time is worth.
struct StepEvidence {
  /// 90 % interval of the step. Without measured kernels the device's step_interval times the p5
  /// and the p95 of the draws; with them, in its place, the ends of the intervals of all parts
  /// (TimeSources) over the sum of their times. What a rank waits for is taken to vary as what it
  /// does.
  Seconds low;
  Seconds high;
  bool has_kernels = false;  ///< whether kernels of the device were measured; else no more is set
  std::array<double, kNumProvenances> shares{};  ///< of the step's time but `idle`
  Provenance worst = Provenance::kMeasured;      ///< of anything that takes time
  /// What is extrapolated or worse, longest first.
  std::vector<UnprovenTime> unproven{};
};

/// Share of the time that is extrapolated or worse.
[[nodiscard]] double unproven_share(const StepEvidence& evidence);

/// nullopt where neither the device's kernels were measured nor its profile states an interval.
[[nodiscard]] std::optional<StepEvidence> step_evidence(const TrainingResult& result,
                                                        const DeviceProfile& device);

}  // namespace switchyard
