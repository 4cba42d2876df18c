#include "sim/engine/pipeline_chunks.hpp"

#include <algorithm>

#include "cost_models/collectives.hpp"
#include "cost_models/library_collective.hpp"
#include "sim/engine/folded_times.hpp"
#include "sim/engine/pipelined_training.hpp"
#include "sim/workload/block_operators.hpp"
#include "sim/workload/tensor_parallel.hpp"

namespace switchyard {
namespace {

Seconds end_of(const Timeline& timeline, std::size_t first, std::size_t last) {
  const auto ranks = static_cast<std::size_t>(timeline.num_ranks);
  Seconds end;
  for (std::size_t i = first * ranks; i < last * ranks; ++i)
    end = std::max(end, timeline.spans[i].end);
  return end;
}

bool makes_weight_gradient(const StepNode& node) {
  const auto* op = std::get_if<Operator>(&node);
  return op != nullptr && (op->operator_class == OperatorClass::kAccumulation ||
                           op->name.find(".weight_gradient") != std::string::npos);
}

/// Shares of the first `count` nodes of the microbatch and the update.
ClassShares shares_until(const PipelineChunk& chunk, std::size_t count) {
  StepGraph part = chunk.graph;
  const std::size_t of_microbatch = std::min(count, part.microbatch.size());
  part.update.resize(count - of_microbatch);
  part.microbatch.resize(of_microbatch);
  TaskGraph tasks = chunk.tasks;
  tasks.tasks.resize(count);
  ClassShares shares{};
  add_class_shares({part, tasks, chunk.timeline},
                   busiest_rank(chunk.tasks, chunk.timeline.num_ranks), 1.0, shares);
  return shares;
}

/// Exposed time of collectives.
Seconds communication(const ClassShares& shares, std::optional<OperatorClass> without) {
  Seconds sum;
  for (std::size_t i = 0; i < shares.size(); ++i)
    if (shares.at(i).sent > Bytes{} && static_cast<OperatorClass>(i) != without)
      sum += shares.at(i).time;
  return sum;
}

/// The times of a chunk's passes without one class.
PassTimes times_without(const PipelineChunk& chunk, std::optional<OperatorClass> without) {
  PassTimes times = chunk.times;
  if (!without) return times;
  const auto place = static_cast<std::size_t>(*without);
  times.forward = std::max(Seconds{}, times.forward - chunk.forward.at(place).time);
  const Seconds backward = times.backward();
  if (backward == Seconds{}) return times;
  const double left = std::max(Seconds{}, backward - chunk.backward.at(place).time) / backward;
  times.input_gradient = left * times.input_gradient;
  times.weight_gradient = left * times.weight_gradient;
  return times;
}

/// By the closed forms, whatever the engine.
void add_launch_waits(const Topology& topology, PipelineChunk& chunk) {
  std::vector<Task> tasks = chunk.tasks.tasks;
  if (std::ranges::all_of(tasks, [](const Task& t) { return t.launched == Seconds{}; })) return;
  const std::vector<Seconds> schedules = schedule_times(chunk.tasks, topology);
  const auto ends = [&](std::size_t count) {
    const std::vector<Seconds> of_tasks = folded_ends(tasks, schedules);
    return count == 0 ? Seconds{}
                      : *std::max_element(of_tasks.begin(),
                                          of_tasks.begin() + static_cast<std::ptrdiff_t>(count));
  };
  const std::size_t forward = chunk.graph.num_forward;
  const std::size_t all = chunk.graph.microbatch.size();
  const Seconds forward_end = ends(forward);
  const Seconds end = ends(all);
  for (Task& task : tasks) task.launched = Seconds{};
  const Seconds free_forward = ends(forward);
  chunk.launch_wait_forward = forward_end - free_forward;
  chunk.launch_wait_backward = (end - forward_end) - (ends(all) - free_forward);
}

}  // namespace

PipelineChunk execute_chunk(const TrainingStepSpec& step, const System& system,
                            const Topology& topology, EngineKind engine,
                            std::span<const LayerRows> rows, Folding folding) {
  PipelineChunk chunk;
  chunk.step = step;
  chunk.graph = build_training_step(step);
  chunk.tasks = price_step(chunk.graph, system, topology, 1, rows);
  chunk.timeline = execute(engine, chunk.tasks, topology, folding);
  const std::size_t forward = chunk.graph.num_forward;
  const std::size_t all = chunk.graph.microbatch.size();
  chunk.times.forward = end_of(chunk.timeline, 0, forward);
  const Seconds backward = end_of(chunk.timeline, 0, all) - chunk.times.forward;
  for (std::size_t i = forward; i < all; ++i)
    if (makes_weight_gradient(chunk.graph.microbatch[i]))
      chunk.times.weight_gradient += chunk.tasks.tasks[i].duration;
  chunk.times.weight_gradient = std::min(chunk.times.weight_gradient, backward);
  chunk.times.input_gradient = backward - chunk.times.weight_gradient;
  chunk.forward = shares_until(chunk, forward);
  const ClassShares microbatch = shares_until(chunk, all);
  chunk.backward = difference(microbatch, chunk.forward);
  chunk.after = difference(shares_until(chunk, chunk.tasks.tasks.size()), microbatch);
  chunk.update = chunk.timeline.makespan - end_of(chunk.timeline, 0, all);
  add_launch_waits(topology, chunk);
  chunk.memory = training_memory(step, chunk.graph, system.device, rows);
  return chunk;
}

PipelineTimes pipeline_times(const TrainingStepSpec& step, const PipelineSchedule& schedule,
                             const PipelinePositions& positions,
                             std::optional<OperatorClass> without) {
  PipelineTimes times;
  for (int stage = 0; stage < schedule.num_stages; ++stage) {
    times.passes.emplace_back();
    times.pairs.emplace_back();
    const auto chunk_at = [&](int chunk) -> const PipelineChunk& {
      return positions.at(static_cast<std::size_t>(position_of(schedule, stage, chunk)));
    };
    for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk)
      times.passes.back().push_back(times_without(chunk_at(chunk), without));
    for (int ahead = 0; ahead < schedule.chunks_per_stage; ++ahead)
      for (int back = 0; back < schedule.chunks_per_stage; ++back) {
        const Seconds sent = communication(chunk_at(ahead).forward, without) +
                             communication(chunk_at(back).backward, without);
        const Seconds both = times_without(chunk_at(ahead), without).forward +
                             times_without(chunk_at(back), without).backward();
        times.pairs.back().push_back(
            overlapped_time(both - sent, sent, step.overlap.communication_share));
      }
  }
  return times;
}

std::vector<HopTimes> hop_times(const TrainingStepSpec& step, const System& system,
                                const Topology& topology) {
  const auto tokens = static_cast<double>(
      step.microbatch_sequences *
      stream_tokens(step,
                    split_width(std::max(step.lengths.input_tokens, step.lengths.target_tokens),
                                step.partition.sequence)));
  // Decoders of encoder-decoders pass on the encoder's output as well.
  const double streams = step.model.architecture == Architecture::kEncoderDecoder ? 2.0 : 1.0;
  const Bytes bytes{streams * tokens * static_cast<double>(step.model.d_model) *
                    activation_bytes(step.precision)};
  const auto stages = static_cast<std::size_t>(step.partition.pipeline);
  std::vector<HopTimes> hops;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    CollectiveRequest request{.kind = CollectiveKind::kPointToPoint, .size = bytes};
    for (const RankGroup& line : mesh_groups(step.partition, MeshGroup::kPipeline))
      request.groups.push_back({line[stage], line[(stage + 1) % stages]});
    const Seconds time =
        schedule_time(library_collective(request, topology, system.collectives).schedule, topology);
    hops.push_back({.forward = time, .backward = time});
  }
  return hops;
}

}  // namespace switchyard
