#include "sim/engine/pipelined_training.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <utility>

#include "sim/engine/executed_flop.hpp"
#include "sim/engine/executed_pipeline.hpp"
#include "sim/engine/pipeline_chunks.hpp"
#include "sim/engine/run_memory.hpp"
#include "sim/workload/model_layers.hpp"

namespace switchyard {
namespace {

/// What decides the work of a layer where no draw does: its stack, experts, window, and whether it
/// has the embedding or the logits.
using LayerKind = std::array<bool, 5>;

std::vector<LayerKind> layer_kinds(const TrainingStepSpec& step) {
  std::vector<LayerKind> kinds;
  for (const StackLayer& layer : held_layers(step))
    kinds.push_back({layer.is_encoder, is_moe_layer(step.model, layer.layer),
                     has_attention_window(step.model, layer.layer), layer.begins_stack,
                     layer.ends_model});
  return kinds;
}

void execute_chunks(const TrainingRunSpec& run, const TrainingStepSpec& step,
                    const Topology& topology, EngineKind engine, std::span<const LayerRows> rows,
                    int count, PipelinePositions& result) {
  std::map<std::vector<LayerKind>, std::size_t> known;
  for (const LayerRange& layers : pipeline_layers(step.model, count)) {
    TrainingStepSpec part = step;
    part.layers = layers;
    if (rows.empty()) {
      const auto [place, is_new] = known.try_emplace(layer_kinds(part), result.chunks.size());
      result.of_position.push_back(place->second);
      if (!is_new) continue;
    } else {
      result.of_position.push_back(result.chunks.size());
    }
    result.chunks.push_back(execute_chunk(part, run.system, topology, engine, rows, run.folding));
  }
}

/// By chunk of a stage, of one microbatch.
std::vector<MemoryEstimate> chunk_memory(const PipelineSchedule& schedule, int stage,
                                         const ExecutedPipeline& executed) {
  std::vector<MemoryEstimate> chunks;
  for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk) {
    const auto position = static_cast<std::size_t>(position_of(schedule, stage, chunk));
    chunks.push_back(executed.positions.at(position).memory);
  }
  return chunks;
}

ExecutedPipeline execute_pipeline(const TrainingRunSpec& run, const TrainingStepSpec& step,
                                  const PipelineSchedule& schedule, const Topology& topology,
                                  EngineKind engine, std::span<const LayerRows> rows) {
  ExecutedPipeline result;
  execute_chunks(run, step, topology, engine, rows, num_positions(schedule), result.positions);
  result.times = pipeline_times(step, schedule, result.positions);
  result.times.hops = hop_times(step, run.system, topology);
  result.run = simulate_pipeline(schedule, result.times, run.stragglers);
  Seconds update;
  for (int stage = 0; stage < schedule.num_stages; ++stage) {
    update = std::max(update, update_time(schedule, stage, result));
    result.memory.push_back(
        stage_memory_at_peak(schedule, stage, chunk_memory(schedule, stage, result)));
  }
  result.step_time = result.run.makespan + update;
  return result;
}

}  // namespace

TrainingResult simulate_pipelined_training(const TrainingRunSpec& run, EngineKind engine) {
  const TrainingStepSpec step = resolve_microbatch(run);
  const PipelineSpec spec = pipeline_spec(run);
  const PipelineSchedule schedule = pipeline_schedule(spec);
  const Topology topology = build_topology(run.system.network);
  const bool is_drawn = is_moe(step.model) && run.draws > 0;
  const bool is_static = !is_drawn || step.lowering.dispatch == DispatchKind::kOneHot;

  TrainingResult result;
  result.num_ranks = num_ranks(step.partition);
  result.microbatch_sequences = step.microbatch_sequences;
  result.num_microbatches = spec.num_microbatches;
  std::vector<StepDraw> draws;
  std::vector<double> times;
  std::vector<double> memory;
  std::vector<ExecutedPipeline> executed;
  int num_fitting = 0;
  const auto execute_one = [&](std::span<const LayerRows> rows) {
    executed.push_back(execute_pipeline(run, step, schedule, topology, engine, rows));
    times.push_back(executed.back().step_time.base());
    memory.push_back(fullest(executed.back().memory).total().base());
    if (fits(fullest(executed.back().memory), run.system.device)) ++num_fitting;
  };
  for (int i = 0; i < (is_drawn ? run.draws : 0); ++i) {
    StepDraw draw =
        draw_step(step, {.routing = run.routing, .seed = run.seed, .with_rows = !is_static},
                  static_cast<std::uint64_t>(i));
    if (!is_static) execute_one(std::exchange(draw.layers, {}));
    draws.push_back(std::move(draw));
  }
  if (is_static) execute_one({});
  std::vector<std::size_t> order(times.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return times[i]; });
  ExecutedPipeline median = std::move(executed[order[(order.size() - 1) / 2]]);

  result.step_time = median.step_time;
  result.step_time_over_draws = percentiles(times);
  result.examples_rate = static_cast<double>(step.sequences) / result.step_time;
  result.memory = fullest(median.memory);
  result.memory_over_draws = percentiles(memory);
  for (int stage = 0; stage < schedule.num_stages; ++stage)
    result.memory_over_time.push_back(
        stage_memory_history(schedule, median.run, stage, chunk_memory(schedule, stage, median)));
  result.fits_in_memory = fits(result.memory, run.system.device);
  result.fits_probability = num_fitting / static_cast<double>(times.size());
  if (!draws.empty()) result.routing = summarize(step, draws);
  result.mfu = executed_model_flop(step, draws) /
               (result.step_time * (run.system.device.peak_bfloat16 * num_ranks(step.partition)));
  result.pipeline = PipelineResult{.spec = spec,
                                   .schedule = schedule,
                                   .run = median.run,
                                   .layers = pipeline_layers(step.model, num_positions(schedule)),
                                   .memory = median.memory,
                                   .critical_path = critical_path(schedule, median.run)};
  add_stage(run, step, schedule, std::move(median), result);
  return result;
}

}  // namespace switchyard
