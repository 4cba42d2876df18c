#pragma once

#include <string>
#include <vector>

#include "sim/engine/training_run.hpp"

namespace switchyard {

/// The memory of a rank of each pipeline stage at its peak, in perfect balance and without
/// executing anything: weights, gradients and optimizer of all its chunks, the activations of as
/// many microbatches as alive_at_peak() says, and the largest of what lives within one pass.
/// One element without a pipeline. The step of `run` is resolved first.
[[nodiscard]] std::vector<MemoryEstimate> memory_by_stage(const TrainingRunSpec& run);

/// The element with the largest total.
[[nodiscard]] const MemoryEstimate& fullest(const std::vector<MemoryEstimate>& memory);

/// Memory of a stage from that of its chunks, one microbatch each.
/// @param alive  by chunk: microbatches whose activations are in memory at once
[[nodiscard]] MemoryEstimate stage_memory(const std::vector<MemoryEstimate>& chunks,
                                          const std::vector<int>& alive);

/// The same at the stage's peak.
[[nodiscard]] MemoryEstimate stage_memory_at_peak(const PipelineSchedule& schedule, int stage,
                                                  const std::vector<MemoryEstimate>& chunks);

/// A change of the experiment that would make it fit.
struct MemoryRemedy {
  std::string change;  ///< "schedule.recompute=full": as --set takes it; several with ", "
  Bytes total;         ///< the fullest rank's memory with it
};

/// Single changes that make `run` fit, of those with fewest costs first: recomputation, zero, a
/// smaller microbatch, twice the tensor ranks or pipeline stages in the place of data ranks. Empty
/// when none does.
[[nodiscard]] std::vector<MemoryRemedy> memory_remedies(const TrainingRunSpec& run);

}  // namespace switchyard
