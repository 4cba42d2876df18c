#include <algorithm>

#include "sim/engine/memory_history.hpp"
#include "sim/engine/run_memory.hpp"
#include "sim/workload/pipeline/in_flight.hpp"

namespace switchyard {
namespace {

/// What a pass takes beside weights and activations; of a pair the larger of its two.
MemoryEstimate taken_by(const PipelinePass& pass, const std::vector<MemoryEstimate>& chunks) {
  const auto chunk = [&](int number) -> const MemoryEstimate& {
    return chunks.at(static_cast<std::size_t>(number));
  };
  const bool is_pair = pass.kind == PassKind::kForwardAndBackward;
  const MemoryEstimate& own = chunk(pass.chunk);
  const MemoryEstimate& backward = is_pair ? chunk(pass.paired_chunk) : own;
  return {.weights = {},
          .gradients = {},
          .optimizer = {},
          .activations = {},
          .recomputed = pass.kind == PassKind::kForward ? Bytes{} : backward.recomputed,
          .logits = std::max(own.logits, backward.logits),
          .buffers = std::max(own.buffers, backward.buffers)};
}

}  // namespace

std::vector<MemoryPoint> stage_memory_history(const PipelineSchedule& schedule,
                                              const PipelineRun& run, int stage,
                                              const std::vector<MemoryEstimate>& chunks) {
  const auto s = static_cast<std::size_t>(stage);
  const std::vector<PipelinePass>& passes = schedule.of_stage.at(s);
  std::vector<int> alive(chunks.size(), 0);
  MemoryEstimate state = stage_memory(chunks, alive);
  state.recomputed = state.logits = state.buffers = Bytes{};
  std::vector<MemoryPoint> points{{Seconds{}, state}};
  const auto add = [&](Seconds date, MemoryEstimate taken) {
    MemoryEstimate held = state;
    for (std::size_t i = 0; i < chunks.size(); ++i)
      held.activations += static_cast<double>(alive[i]) * chunks[i].activations;
    held.recomputed = taken.recomputed;
    held.logits = taken.logits;
    held.buffers = taken.buffers;
    if (points.back().date == date)
      points.back().held = held;
    else
      points.push_back({date, held});
  };
  for (std::size_t i = 0; i < passes.size(); ++i) {
    if (const auto chunk = filled_chunk(passes[i])) ++alive[static_cast<std::size_t>(*chunk)];
    add(run.spans.at(s).at(i).start, taken_by(passes[i], chunks));
    if (const auto chunk = freed_chunk(passes[i])) --alive[static_cast<std::size_t>(*chunk)];
    add(run.spans[s][i].end, {});
  }
  return points;
}

}  // namespace switchyard
