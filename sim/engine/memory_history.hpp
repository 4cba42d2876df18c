#pragma once

#include <span>
#include <vector>

#include "cost_models/memory.hpp"
#include "sim/engine/pipeline_run.hpp"
#include "sim/engine/timeline.hpp"

namespace switchyard {

/// What a rank holds from `date` on.
struct MemoryPoint {
  Seconds date;
  MemoryEstimate held;
};

/// Memory of the fullest rank during one executed microbatch and the update, in order of time.
///
///   weights, gradients, optimizer   all the time
///   activations, logits   an operator's saved tensors, from its start to the end of the last
///                         operator of the backward pass that is named like it
///   recomputed            those of the operator that makes them again, the same
///   buffers               each all-to-all of routed rows, while it runs
///
/// Peaks of the classes are training_memory(): a rank's all-to-alls wait for each other, with
/// OverlapSpec::all_to_all_chunks too. The peak of the total is at most the estimate's: equal
/// without recomputation and routed all-to-alls, as activations and logits peak together at the end
/// of the forward pass; else some classes peak at other times.
///
/// @param timeline  whose spans are those of price_step(graph, ..., 1)
/// @param routing   as training_memory()
[[nodiscard]] std::vector<MemoryPoint> memory_history(const TrainingStepSpec& spec,
                                                      const StepGraph& graph,
                                                      const DeviceProfile& device,
                                                      const Timeline& timeline,
                                                      std::span<const LayerRows> routing = {});

/// Memory of a rank of a pipeline stage during the passes of a step, in order of time.
///
///   activations   those of each microbatch that in_flight_history() has, chunk by chunk
///   logits        during every pass of a chunk that has them (from the loss to its gradient)
///   recomputed    during backward passes; buffers during all
///
/// Peaks of the classes are stage_memory() with alive_at_peak(). The peak of the total too where a
/// stage has one chunk: its activations peak in the pass before a backward pass and are freed at
/// the end of it. With several chunks what a pass takes besides may peak elsewhere.
///
/// @param chunks  of the stage, one microbatch each
[[nodiscard]] std::vector<MemoryPoint> stage_memory_history(
    const PipelineSchedule& schedule, const PipelineRun& run, int stage,
    const std::vector<MemoryEstimate>& chunks);

/// The largest of each class, whenever that is.
[[nodiscard]] MemoryEstimate peak_by_class(const std::vector<MemoryPoint>& history);

/// The largest total.
[[nodiscard]] Bytes peak_total(const std::vector<MemoryPoint>& history);

}  // namespace switchyard
