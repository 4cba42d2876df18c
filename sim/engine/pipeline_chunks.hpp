#pragma once

#include <optional>
#include <vector>

#include "sim/engine/class_shares.hpp"
#include "sim/engine/training_run.hpp"

namespace switchyard {

/// What one position of a pipeline does with a microbatch, executed alone.
struct PipelineChunk {
  TrainingStepSpec step;  ///< whose layers are the position's
  StepGraph graph;
  TaskGraph tasks;
  Timeline timeline;
  PassTimes times;
  ClassShares forward;   ///< what `times.forward` consists of, on the rank that stands for all
  ClassShares backward;  ///< and times.backward()
  ClassShares after;     ///< and `update`
  Seconds update;        ///< from the end of the microbatch on: sums that nothing hid, optimizer
  MemoryEstimate memory;
  Seconds launch_wait_forward;   ///< what `times` would be shorter by if launches took no time
  Seconds launch_wait_backward;  ///< the same
};

/// Executes one position. `rows`: of every MoE layer of the model, or none for perfect balance.
[[nodiscard]] PipelineChunk execute_chunk(const TrainingStepSpec& step, const System& system,
                                          const Topology& topology, EngineKind engine,
                                          std::span<const LayerRows> rows,
                                          Folding folding = Folding::kAllRanks);

/// The different chunks of a pipeline, and which of them each position does.
struct PipelinePositions {
  std::vector<PipelineChunk> chunks;
  std::vector<std::size_t> of_position;

  [[nodiscard]] const PipelineChunk& at(std::size_t position) const {
    return chunks[of_position[position]];
  }
};

/// Times of all passes, and of pairs of them by overlapped_time(); no hops.
/// @param without  a class that is taken to cost nothing
[[nodiscard]] PipelineTimes pipeline_times(const TrainingStepSpec& step,
                                           const PipelineSchedule& schedule,
                                           const PipelinePositions& positions,
                                           std::optional<OperatorClass> without = {});

/// From stage to stage, every rank to its counterpart at once: a microbatch's activations, or their
/// gradients. Element s: from stage s to the next, the last one's next is the first.
[[nodiscard]] std::vector<HopTimes> hop_times(const TrainingStepSpec& step, const System& system,
                                              const Topology& topology);

}  // namespace switchyard
