#include "sim/engine/drawn_run.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace switchyard {
namespace {

Seconds end_of_tasks(const Timeline& timeline, std::size_t num_tasks) {
  Seconds end;
  const std::size_t spans = num_tasks * static_cast<std::size_t>(timeline.num_ranks);
  for (std::size_t i = 0; i < spans; ++i) end = std::max(end, timeline.spans[i].end);
  return end;
}

Execution execute_draw(const Simulation& simulation, std::span<const LayerRows> routing) {
  const System& system = simulation.run.system;
  Execution execution;
  execution.tasks = price_step(simulation.graph, system, simulation.topology, 1, routing);
  execution.timeline =
      execute(simulation.engine, execution.tasks, simulation.topology, simulation.run.folding);
  execution.times = folded_times(simulation.graph, execution.timeline);
  execution.memory = training_memory(simulation.step, simulation.graph, system.device, routing);
  execution.memory_over_time =
      memory_history(simulation.step, simulation.graph, system.device, execution.timeline, routing);
  return execution;
}

StepDraw draw_of(const Simulation& simulation, std::size_t draw, bool with_rows) {
  return draw_step(
      simulation.step,
      {.routing = simulation.run.routing, .seed = simulation.run.seed, .with_rows = with_rows},
      draw);
}

/// The draw whose value is the lower median, the first of equal ones.
std::size_t lower_median(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  return order[(order.size() - 1) / 2];
}

}  // namespace

FoldedTimes folded_times(const StepGraph& graph, const Timeline& timeline) {
  const Seconds microbatch = end_of_tasks(timeline, graph.microbatch.size());
  return {.microbatch = microbatch,
          .step = timeline.makespan + (graph.num_microbatches - 1.0) * microbatch};
}

DrawnRun execute_draws(const Simulation& simulation) {
  const bool is_routed = is_moe(simulation.step.model);
  const auto num_draws =
      static_cast<std::size_t>(is_routed ? std::max(0, simulation.run.draws) : 0);
  const bool is_static =
      num_draws == 0 || simulation.step.lowering.dispatch == DispatchKind::kOneHot;
  DrawnRun drawn;
  int num_fitting = 0;
  const auto run = [&](std::span<const LayerRows> routing) {
    drawn.execution = execute_draw(simulation, routing);
    drawn.times.push_back(drawn.execution.times.step.base());
    drawn.memory.push_back(drawn.execution.memory.total().base());
    if (fits(drawn.execution.memory, simulation.run.system.device)) ++num_fitting;
  };
  for (std::size_t i = 0; i < num_draws; ++i) {
    StepDraw draw = draw_of(simulation, i, !is_static);
    if (!is_static) run(std::exchange(draw.layers, {}));
    drawn.draws.push_back(std::move(draw));
  }
  if (is_static) run({});
  drawn.fits_probability = num_fitting / static_cast<double>(drawn.times.size());
  if (is_static) return drawn;
  drawn.median = lower_median(drawn.times);
  if (drawn.median + 1 < num_draws)
    drawn.execution = execute_draw(simulation, draw_of(simulation, drawn.median, true).layers);
  return drawn;
}

}  // namespace switchyard
