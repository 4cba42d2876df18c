#include "sim/engine/training_run.hpp"

#include <algorithm>

#include "cost_models/collectives.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

Seconds end_of_tasks(const Timeline& timeline, std::size_t num_tasks) {
  Seconds end;
  const std::size_t spans = num_tasks * static_cast<std::size_t>(timeline.num_ranks);
  for (std::size_t i = 0; i < spans; ++i) end = std::max(end, timeline.spans[i].end);
  return end;
}

/// Times of a timeline that has one microbatch and the update: all microbatches take the same.
struct FoldedTimes {
  Seconds microbatch;
  Seconds step;
};

FoldedTimes folded_times(const StepGraph& graph, const Timeline& timeline) {
  const Seconds microbatch = end_of_tasks(timeline, graph.microbatch.size());
  return {.microbatch = microbatch,
          .step = timeline.makespan + (graph.num_microbatches - 1.0) * microbatch};
}

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

OperatorClass class_of(const StepNode& node) {
  return std::visit([](const auto& n) { return n.operator_class; }, node);
}

/// Adds up rank 0's spans; nodes of the microbatch count num_microbatches times.
void add_breakdown(const StepGraph& graph, TrainingResult& result) {
  std::array<ClassShare, kNumOperatorClasses> shares;
  const auto ranks = static_cast<std::size_t>(result.timeline.num_ranks);
  Seconds busy;
  std::size_t task = 0;
  const auto add = [&](const std::vector<StepNode>& nodes, double times) {
    for (const StepNode& node : nodes) {
      const Span& span = result.timeline.spans[task * ranks];
      const Task& priced = result.tasks.tasks[task++];
      ClassShare& share = shares.at(static_cast<std::size_t>(class_of(node)));
      share.time += times * (span.end - span.start);
      share.flop += times * priced.flop;
      (is_collective(priced) ? share.sent : share.memory) += times * priced.bytes;
      if (is_collective(priced))
        share.bound +=
            times * result.tasks.schedules[static_cast<std::size_t>(priced.schedule)].proven_bound;
      busy += times * (span.end - span.start);
    }
  };
  add(graph.microbatch, result.num_microbatches);
  add(graph.update, 1.0);
  result.idle = std::max(Seconds{}, result.step_time - busy);  // sums round
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares.at(i).operator_class = static_cast<OperatorClass>(i);
    if (shares.at(i).time > Seconds{}) result.breakdown.push_back(shares.at(i));
  }
}

StackRouting route_stack(const TrainingRunSpec& run, const TrainingStepSpec& step,
                         const std::string& stack, std::int64_t tokens_per_sequence,
                         std::uint64_t stack_id) {
  StackRouting routing{
      .stack = stack,
      .shape = moe_layer_shape(step, step.microbatch_sequences * tokens_per_sequence),
      .dropped_fraction = {},
      .padding_fraction = {},
      .expert_imbalance = {}};
  const RoutingShape shape{.num_ranks = step.num_ranks,
                           .groups_per_rank = routing.shape.groups.num_groups / step.num_ranks,
                           .group_tokens = routing.shape.groups.group_tokens,
                           .num_experts = step.model.moe.num_experts,
                           .capacity = routing.shape.capacity};
  std::vector<double> dropped;
  std::vector<double> padding;
  std::vector<double> imbalance;
  for (int i = 0; i < run.draws; ++i) {
    const RoutingDraw draw =
        draw_routing(run.routing, shape,
                     {.seed = run.seed, .stack = stack_id, .draw = static_cast<std::uint64_t>(i)})
            .front();
    dropped.push_back(dropped_fraction(draw));
    padding.push_back(padding_fraction(draw, shape));
    imbalance.push_back(expert_imbalance(draw));
  }
  routing.dropped_fraction = percentiles(std::move(dropped));
  routing.padding_fraction = percentiles(std::move(padding));
  routing.expert_imbalance = percentiles(std::move(imbalance));
  return routing;
}

void add_routing(const TrainingRunSpec& run, const TrainingStepSpec& step, TrainingResult& result) {
  if (!is_moe(step.model) || run.draws < 1) return;
  if (num_moe_layers(step.model, step.model.num_encoder_layers) > 0)
    result.routing.push_back(route_stack(run, step, "encoder", step.lengths.input_tokens, 0));
  if (num_moe_layers(step.model, step.model.num_decoder_layers) > 0)
    result.routing.push_back(route_stack(run, step, "decoder", step.lengths.target_tokens, 1));
}

/// Model FLOPs of a step that are done: all but those of dropped choices.
Flop executed_model_flop(const TrainingStepSpec& step, const std::vector<StackRouting>& routing) {
  Flop per_sequence = training_flop(step.model, step.lengths);
  for (const StackRouting& stack : routing) {
    const bool encoder = stack.stack == "encoder";
    per_sequence -=
        stack.dropped_fraction.p50 *
        expert_training_flop(
            step.model, encoder ? step.model.num_encoder_layers : step.model.num_decoder_layers,
            encoder ? step.lengths.input_tokens : step.lengths.target_tokens);
  }
  return static_cast<double>(step.sequences) * per_sequence;
}

void check(const TrainingRunSpec& run) {
  SWITCHYARD_CHECK(run.step.num_ranks == num_ranks(run.system.network),
                   "{} ranks on a network of {}", run.step.num_ranks,
                   num_ranks(run.system.network));
  SWITCHYARD_CHECK(!is_moe(run.step.model) || run.routing.gate.top_k == run.step.model.moe.top_k,
                   "gate of top {} in a model of top {}", run.routing.gate.top_k,
                   run.step.model.moe.top_k);
}

}  // namespace

TrainingStepSpec resolve_microbatch(const TrainingRunSpec& run) {
  TrainingStepSpec step = run.step;
  if (step.microbatch_sequences == 0)
    step.microbatch_sequences = largest_fitting_microbatch(step, run.system.device);
  return step;
}

TrainingResult simulate_training(const TrainingRunSpec& run, EngineKind engine) {
  check(run);
  const TrainingStepSpec step = resolve_microbatch(run);
  const StepGraph graph = build_training_step(step);
  const Topology topology = build_topology(run.system.network);

  TrainingResult result;
  result.microbatch_sequences = step.microbatch_sequences;
  result.num_microbatches = graph.num_microbatches;
  result.tasks = price_step(graph, run.system, topology, 1);
  result.timeline = execute(engine, result.tasks, topology);
  const FoldedTimes times = folded_times(graph, result.timeline);
  result.microbatch_time = times.microbatch;
  result.step_time = times.step;
  result.examples_rate = static_cast<double>(step.sequences) / result.step_time;
  result.memory = training_memory(step, graph, run.system.device);
  result.fits_in_memory = fits(result.memory, run.system.device);
  add_breakdown(graph, result);
  add_routing(run, step, result);
  result.mfu = executed_model_flop(step, result.routing) /
               (result.step_time * (run.system.device.peak_bfloat16 * step.num_ranks));

  result.busiest_link = busiest_link(graph, result.tasks, topology);
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
  const Timeline timeline = execute(EngineKind::kAnalytic, tasks, topology);
  return static_cast<double>(step.sequences) / folded_times(graph, timeline).step;
}

}  // namespace switchyard
