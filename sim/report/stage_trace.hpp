#pragma once

#include <cstddef>

#include "sim/engine/training_run.hpp"
#include "sim/report/trace_events.hpp"

namespace switchyard {

/// Passes of a stage that its trace shows: as many as kMaxTracedSpans allow for all stages.
[[nodiscard]] std::size_t shown_passes(const PipelineResult& pipeline, std::size_t stage);

/// Writes a process for each pipeline stage, from number `first_process` on: the passes of the
/// whole step ("forward 3": of microbatch 3), then the sums of gradients and the update, and the
/// memory of the stage's fullest rank. Without a pipeline one process, with the memory of the
/// fullest rank during the microbatch that the ranks' processes show.
///
/// Memory is a counter for each class, named "activations_bytes", and "total_bytes"; see
/// memory_history() and stage_memory_history(). A counter has an event where it changes.
void write_stages(const TrainingResult& result, int first_process, TraceEvents& events);

}  // namespace switchyard
