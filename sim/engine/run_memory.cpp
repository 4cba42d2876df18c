#include "sim/engine/run_memory.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/engine/pipelined_training.hpp"
#include "sim/workload/partition/partition_problems.hpp"
#include "sim/workload/pipeline/in_flight.hpp"

namespace switchyard {
namespace {

/// An axis that may take ranks from the data axis.
struct MeshAxisChange {
  const char* name;
  int Partition::*ranks;
};
constexpr std::array<MeshAxisChange, 2> kAxes = {
    {{"tensor", &Partition::tensor}, {"pipeline", &Partition::pipeline}}};

bool is_possible(const TrainingRunSpec& run) {
  if (!partition_problems(run.step, num_ranks(run.system.network)).empty()) return false;
  return run.step.partition.pipeline == 1 || pipeline_problems(pipeline_spec(run)).empty();
}

/// Every key in which a run with other ranks along `axis` differs, as --set takes them.
std::string partition_change(const Partition& given, const Partition& changed,
                             const MeshAxisChange& axis) {
  std::string text = fmt::format("partition.{}={}, partition.data={}", axis.name,
                                 changed.*axis.ranks, changed.data);
  if (changed.expert > 1 || given.expert > 1)
    text += fmt::format(", partition.expert={}", changed.expert);
  if (changed.sequence_parallel != given.sequence_parallel)
    text += fmt::format(", partition.sequence_parallel={}", changed.sequence_parallel);
  return text;
}

/// Twice as many ranks along `axis`, half as many data ranks; no change where that is impossible.
TrainingRunSpec with_more(TrainingRunSpec run, int Partition::*axis) {
  Partition& p = run.step.partition;
  if (p.data % 2 != 0) return run;
  p.*axis *= 2;
  p.data /= 2;
  const int places = ranks_of_stage(p) / expert_tensor_ranks(p);
  if (places > 0 && places % p.expert != 0) p.expert = std::max(1, p.expert / 2);
  if (axis == &Partition::tensor)
    p.sequence_parallel = run.step.lowering.dispatch == DispatchKind::kPermutation;
  return run;
}

}  // namespace

MemoryEstimate stage_memory(const std::vector<MemoryEstimate>& chunks,
                            const std::vector<int>& alive) {
  MemoryEstimate sum;
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    const MemoryEstimate& one = chunks[chunk];
    sum.weights += one.weights;
    sum.gradients += one.gradients;
    sum.optimizer += one.optimizer;
    sum.activations += static_cast<double>(alive[chunk]) * one.activations;
    sum.logits = std::max(sum.logits, one.logits);  // from the loss to its gradient: one at a time
    sum.recomputed = std::max(sum.recomputed, one.recomputed);
    sum.buffers = std::max(sum.buffers, one.buffers);
  }
  return sum;
}

MemoryEstimate stage_memory_at_peak(const PipelineSchedule& schedule, int stage,
                                    const std::vector<MemoryEstimate>& chunks) {
  std::vector<double> activations;
  for (const MemoryEstimate& chunk : chunks) activations.push_back(chunk.activations.base());
  return stage_memory(chunks, alive_at_peak(schedule, stage, activations));
}

const MemoryEstimate& fullest(const std::vector<MemoryEstimate>& memory) {
  return *std::ranges::max_element(memory, {}, &MemoryEstimate::total);
}

std::vector<MemoryEstimate> memory_by_stage(const TrainingRunSpec& run) {
  const TrainingStepSpec step = resolve_microbatch(run);
  if (step.partition.pipeline == 1)
    return {training_memory(step, build_training_step(step), run.system.device)};
  const PipelineSchedule schedule = pipeline_schedule(pipeline_spec(run));
  std::vector<MemoryEstimate> of_position;
  for (const LayerRange& layers : pipeline_layers(step.model, num_positions(schedule))) {
    TrainingStepSpec part = step;
    part.layers = layers;
    of_position.push_back(training_memory(part, build_training_step(part), run.system.device));
  }
  std::vector<MemoryEstimate> stages;
  for (int stage = 0; stage < schedule.num_stages; ++stage) {
    std::vector<MemoryEstimate> chunks;
    for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk)
      chunks.push_back(of_position[static_cast<std::size_t>(position_of(schedule, stage, chunk))]);
    stages.push_back(stage_memory_at_peak(schedule, stage, chunks));
  }
  return stages;
}

std::vector<MemoryRemedy> memory_remedies(const TrainingRunSpec& given) {
  TrainingRunSpec run = given;
  run.step = resolve_microbatch(given);
  std::vector<MemoryRemedy> remedies;
  const auto consider = [&](std::string change, const TrainingRunSpec& changed) {
    if (!is_possible(changed)) return;
    const MemoryEstimate memory = fullest(memory_by_stage(changed));
    if (fits(memory, run.system.device)) remedies.push_back({std::move(change), memory.total()});
  };
  const auto set = [&](std::string change, auto&& apply) {
    TrainingRunSpec changed = run;
    apply(changed.step);
    consider(std::move(change), changed);
  };
  if (run.step.recompute == Recompute::kNone)
    set("schedule.recompute=selective",
        [](TrainingStepSpec& step) { step.recompute = Recompute::kSelective; });
  if (run.step.recompute != Recompute::kFull)
    set("schedule.recompute=full",
        [](TrainingStepSpec& step) { step.recompute = Recompute::kFull; });
  for (int zero = run.step.partition.zero_stage + 1; zero <= 3; ++zero)
    set(fmt::format("partition.zero={}", zero),
        [zero](TrainingStepSpec& step) { step.partition.zero_stage = zero; });
  for (std::int64_t half = run.step.microbatch_sequences / 2; half >= 1; half /= 2)
    set(fmt::format("batch.microbatch_sequences={}", half),
        [half](TrainingStepSpec& step) { step.microbatch_sequences = half; });
  for (const MeshAxisChange& axis : kAxes) {
    const TrainingRunSpec changed = with_more(run, axis.ranks);
    if (changed.step.partition.data == run.step.partition.data) continue;
    consider(partition_change(run.step.partition, changed.step.partition, axis), changed);
  }
  return remedies;
}

}  // namespace switchyard
