#include "sim/engine/training_run.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cost_models/collectives.hpp"
#include "sim/core/error.hpp"
#include "sim/engine/drawn_run.hpp"
#include "sim/engine/executed_flop.hpp"
#include "sim/engine/pipelined_training.hpp"
#include "sim/engine/saved_if_free.hpp"

namespace switchyard {
namespace {

/// Bytes that cross the busiest cable in a whole step.
Bytes busiest_link(const StepGraph& graph, const TaskGraph& tasks, const Topology& topology) {
  std::vector<double> times(tasks.schedules.size());
  for (std::size_t i = 0; i < tasks.tasks.size(); ++i)
    if (is_collective(tasks.tasks[i]))
      times[static_cast<std::size_t>(tasks.tasks[i].schedule)] +=
          i < graph.microbatch.size() ? graph.num_microbatches : 1.0;
  std::vector<Bytes> loads(topology.links.size());
  for (std::size_t s = 0; s < tasks.schedules.size(); ++s) {
    const std::vector<Bytes> once = link_loads(tasks.schedules[s], topology);
    for (std::size_t link = 0; link < loads.size(); ++link) loads[link] += times[s] * once[link];
  }
  Bytes busiest;
  for (const NetworkLink& link : topology.links)
    if (link.place == LinkPlace::kNetwork) busiest = std::max(busiest, loads[link.id.index()]);
  return busiest;
}

/// The busiest rank's spans; nodes of the microbatch count num_microbatches times.
void add_breakdown(const StepGraph& graph, const Topology& topology, TrainingResult& result) {
  ClassShares shares{};
  add_class_shares({graph, result.tasks, result.timeline},
                   busiest_rank(result.tasks, result.timeline.num_ranks), result.num_microbatches,
                   shares);
  result.breakdown = shares_that_occur(shares);
  add_savings(graph, result.tasks, topology, result.breakdown);
  result.saved_by_launches = saved_by_launches(graph, result.tasks, topology);
  Seconds busy;
  for (const ClassShare& share : result.breakdown) busy += share.time;
  result.idle = std::max(Seconds{}, result.step_time - busy);  // sums round
}

void check(const TrainingRunSpec& run) {
  SWITCHYARD_CHECK(num_ranks(run.step.partition) == num_ranks(run.system.network),
                   "{} ranks on a network of {}", num_ranks(run.step.partition),
                   num_ranks(run.system.network));
  SWITCHYARD_CHECK(!is_moe(run.step.model) || run.routing.gate.top_k == run.step.model.moe.top_k,
                   "gate of top {} in a model of top {}", run.routing.gate.top_k,
                   run.step.model.moe.top_k);
}

}  // namespace

TrainingStepSpec resolve_microbatch(const TrainingRunSpec& run) {
  TrainingStepSpec step = run.step;
  if (step.microbatch_sequences == 0 && step.partition.pipeline > 1) {
    step.microbatch_sequences = 1;
  } else if (step.microbatch_sequences == 0) {
    step.microbatch_sequences = largest_fitting_microbatch(step, run.system.device);
  }
  return step;
}

TrainingResult simulate_training(const TrainingRunSpec& run, EngineKind engine) {
  check(run);
  if (run.step.partition.pipeline > 1) return simulate_pipelined_training(run, engine);
  const TrainingStepSpec step = resolve_microbatch(run);
  const Simulation simulation{.run = run,
                              .step = step,
                              .graph = build_training_step(step),
                              .topology = build_topology(run.system.network),
                              .engine = engine};
  const StepGraph& graph = simulation.graph;
  DrawnRun drawn = execute_draws(simulation);

  TrainingResult result;
  result.num_ranks = num_ranks(step.partition);
  result.microbatch_sequences = step.microbatch_sequences;
  result.num_microbatches = graph.num_microbatches;
  result.tasks = std::move(drawn.execution.tasks);
  result.num_microbatch_tasks = graph.microbatch.size();
  result.timeline = std::move(drawn.execution.timeline);
  result.microbatch_time = drawn.execution.times.microbatch;
  result.step_time = drawn.execution.times.step;
  result.step_time_over_draws = percentiles(drawn.times);
  result.examples_rate = static_cast<double>(step.sequences) / result.step_time;
  result.memory = drawn.execution.memory;
  result.memory_over_draws = percentiles(drawn.memory);
  result.memory_over_time.push_back(std::move(drawn.execution.memory_over_time));
  result.fits_in_memory = fits(result.memory, run.system.device);
  result.fits_probability = drawn.fits_probability;
  add_breakdown(graph, simulation.topology, result);
  if (!drawn.draws.empty()) result.routing = summarize(step, drawn.draws);
  std::span<const StepDraw> draws{drawn.draws};
  if (drawn.times.size() == draws.size() && !draws.empty()) draws = draws.subspan(drawn.median, 1);
  result.mfu = executed_model_flop(step, draws) /
               (result.step_time * (run.system.device.peak_bfloat16 * num_ranks(step.partition)));

  result.busiest_link = busiest_link(graph, result.tasks, simulation.topology);
  for (const ClassShare& share : result.breakdown)
    if (share.operator_class == OperatorClass::kAllToAll) result.all_to_all_sent = share.sent;
  return result;
}

PerSecond predicted_examples_rate(const TrainingRunSpec& run) {
  check(run);
  const TrainingStepSpec step = resolve_microbatch(run);
  const StepGraph graph = build_training_step(step);
  const Topology topology = build_topology(run.system.network);
  const TaskGraph tasks = price_step(graph, run.system, topology, 1);
  const Timeline timeline = execute(EngineKind::kAnalytic, tasks, topology, Folding::kOneForAll);
  return static_cast<double>(step.sequences) / folded_times(graph, timeline).step;
}

}  // namespace switchyard
