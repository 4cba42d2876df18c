#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "sim/engine/training_run.hpp"

namespace switchyard {

struct TraceOptions {
  /// Only ranks below this. Without it as many as kMaxTracedSpans allow, at least one.
  std::optional<int> max_ranks;
  std::string experiment{};  ///< names for `otherData`; left out when empty
  std::string case_name{};
  std::string engine{};
  std::optional<std::uint64_t> seed{};
};

/// A task of a rank takes about 250 bytes of a trace, so this is about 100 MB: what viewers open.
inline constexpr std::size_t kMaxTracedSpans = 400'000;

/// Writes what a training step did as Chrome trace events (JSON): opens in ui.perfetto.dev and in
/// chrome://tracing.
///
/// A process is a rank. Its tracks are "layers" (consecutive tasks of one block and phase),
/// "compute" and "network"; tasks of a track that overlap in time go to further tracks of that
/// name. An event is a task: its category is the operator class, its arguments are flop and
/// memory_bytes, or sent_bytes. Where a rank enters a collective before the last one does, a nested
/// event of category "waiting" lasts until then. After the ranks come the stages of a pipeline and
/// memory over time: see write_stages(). `otherData` says how many microbatches the step
/// repeats, how many ranks there are and are shown, and the names given in the options.
///
/// Times are in microseconds with three decimals: rounded to ns at both ends, so neighbours meet.
/// Writes one event at a time. Precondition: times and counts are finite (checked).
/// Source: "Trace Event Format", Google, 2016 (complete and metadata events).
void write_trace(const TrainingResult& result, std::ostream& out, const TraceOptions& options = {});

}  // namespace switchyard
