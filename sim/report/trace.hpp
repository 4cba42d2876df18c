#pragma once

#include <iosfwd>
#include <optional>

#include "sim/engine/training_run.hpp"

namespace switchyard {

struct TraceOptions {
  std::optional<int> max_ranks;  ///< only ranks below this; all without it
};

/// Writes what a training step did as Chrome trace events (JSON): opens in ui.perfetto.dev and in
/// chrome://tracing.
///
/// A process is a rank. Its tracks are "layers" (consecutive tasks of one block and phase),
/// "compute" and "network"; tasks of a track that overlap in time go to further tracks of that
/// name. An event is a task: its category is the operator class, its arguments are flop and
/// memory_bytes, or sent_bytes. Where a rank enters a collective before the last one does, a nested
/// event of category "waiting" lasts until then. `otherData` says how many microbatches the step
/// repeats.
///
/// Times are in microseconds with three decimals: rounded to ns at both ends, so neighbours meet.
/// Writes one event at a time. Precondition: times and counts are finite (checked).
/// Source: "Trace Event Format", Google, 2016 (complete and metadata events).
void write_trace(const TrainingResult& result, std::ostream& out, const TraceOptions& options = {});

}  // namespace switchyard
