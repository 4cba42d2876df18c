#include "sim/engine/engine.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "cost_models/collectives.hpp"
#include "sim/core/error.hpp"
#include "sim/engine/backends.hpp"
#include "sim/engine/bound_guard.hpp"
#include "topologies/analysis.hpp"

#ifndef SWITCHYARD_HAS_SIMGRID
#define SWITCHYARD_HAS_SIMGRID 0
#endif

namespace switchyard {
namespace {

bool is_duration(double value) {
  return value >= 0.0 && value < std::numeric_limits<double>::infinity();
}

void check(const Task& task, std::size_t index, const TaskGraph& graph, int ranks) {
  for (const TaskId dependency : task.dependencies)
    SWITCHYARD_CHECK(dependency.value() >= 0 && dependency.index() < index,
                     "task {} '{}' depends on task {}", index, task.name, dependency.value());
  SWITCHYARD_CHECK(task.schedule >= -1 && task.schedule < std::ssize(graph.schedules),
                   "task {} '{}' uses schedule {} of {}", index, task.name, task.schedule,
                   graph.schedules.size());
  SWITCHYARD_CHECK(is_duration(task.duration.base()), "task {} '{}' lasts {} s", index, task.name,
                   task.duration.base());
  SWITCHYARD_CHECK(task.rank_slowdown.empty() || std::ssize(task.rank_slowdown) == ranks,
                   "task {} '{}' has {} slowdowns for {} ranks", index, task.name,
                   task.rank_slowdown.size(), ranks);
  for (const double slowdown : task.rank_slowdown)
    SWITCHYARD_CHECK(is_duration(slowdown), "task {} '{}' has slowdown {}", index, task.name,
                     slowdown);
}

void check(const CollectiveSchedule& schedule, int ranks) {
  SWITCHYARD_CHECK(is_duration(schedule.startup.base()), "{} starts after {} s", schedule.algorithm,
                   schedule.startup.base());
  SWITCHYARD_CHECK(is_duration(schedule.proven_bound.base()), "{} has a bound of {} s",
                   schedule.algorithm, schedule.proven_bound.base());
  for (const Round& round : schedule.rounds) {
    SWITCHYARD_CHECK(
        round.repeat >= 1 && (!round.all_pairs ||
                              (round.flows.empty() && is_duration(round.all_pairs->bytes.base()))),
        "{}: a round repeated {} times, {} flows", schedule.algorithm, round.repeat,
        round.flows.size());
    for (const Flow& flow : round.flows)
      SWITCHYARD_CHECK(flow.source.value() >= 0 && flow.source.value() < ranks &&
                           flow.destination.value() >= 0 && flow.destination.value() < ranks &&
                           is_duration(flow.bytes.base()),
                       "{}: flow of {} bytes from rank {} to {} of {}", schedule.algorithm,
                       flow.bytes.base(), flow.source.value(), flow.destination.value(), ranks);
  }
}

std::vector<Span> run(EngineKind engine, const TaskGraph& graph, const Topology& topology,
                      int ranks) {
  switch (engine) {
    case EngineKind::kAnalytic:
      return analytic_spans(graph, topology, ranks);
    case EngineKind::kFluid:
      return fluid_spans(graph, topology);
    case EngineKind::kSimGrid:
#if SWITCHYARD_HAS_SIMGRID
      return simgrid_spans(graph, topology);
#else
      throw std::runtime_error(
          "this build has no SimGrid engine: install SimGrid 3.32 and configure again, or use the "
          "analytic engine");
#endif
  }
  SWITCHYARD_CHECK(false, "engine kind {}", static_cast<int>(engine));
  return {};
}

/// Adds up what crossed the links and applies the lower-bound guard to every collective.
Timeline summarise(std::vector<Span> spans, const TaskGraph& graph, const Topology& topology,
                   int shown_ranks) {
  Timeline timeline{.num_ranks = shown_ranks,
                    .spans = std::move(spans),
                    .link_bytes = std::vector<Bytes>(topology.links.size()),
                    .makespan = {}};
  for (const Span& span : timeline.spans) timeline.makespan = std::max(timeline.makespan, span.end);

  std::vector<std::vector<Bytes>> loads;
  std::vector<Seconds> bounds;
  for (const CollectiveSchedule& schedule : graph.schedules) {
    loads.push_back(link_loads(schedule, topology));
    bounds.push_back(std::max(bottleneck_time(topology, loads.back()), schedule.proven_bound));
  }
  const auto ranks = static_cast<std::size_t>(shown_ranks);
  for (std::size_t t = 0; t < graph.tasks.size(); ++t) {
    const Task& task = graph.tasks[t];
    if (!is_collective(task)) continue;
    const auto schedule = static_cast<std::size_t>(task.schedule);
    check_not_faster_than(bounds[schedule], task,
                          std::span{timeline.spans}.subspan(t * ranks, ranks),
                          static_cast<std::size_t>(num_rounds(graph.schedules[schedule])));
    for (std::size_t link = 0; link < loads[schedule].size(); ++link)
      timeline.link_bytes[link] += loads[schedule][link];
  }
  return timeline;
}

}  // namespace

Timeline execute(EngineKind engine, const TaskGraph& graph, const Topology& topology,
                 Folding folding) {
  const int ranks = num_ranks(topology);
  for (std::size_t t = 0; t < graph.tasks.size(); ++t) check(graph.tasks[t], t, graph, ranks);
  for (const CollectiveSchedule& schedule : graph.schedules) check(schedule, ranks);
  const bool is_folded =
      folding == Folding::kOneForAll && engine == EngineKind::kAnalytic &&
      std::ranges::all_of(graph.tasks, [](const Task& t) { return t.rank_slowdown.empty(); });
  const int shown = is_folded ? 1 : ranks;
  return summarise(run(engine, graph, topology, shown), graph, topology, shown);
}

std::string_view engine_name(EngineKind engine) {
  switch (engine) {
    case EngineKind::kSimGrid:
      return "simgrid";
    case EngineKind::kFluid:
      return "fluid";
    case EngineKind::kAnalytic:
      return "analytic";
  }
  return "";
}

bool has_simgrid() { return SWITCHYARD_HAS_SIMGRID != 0; }

}  // namespace switchyard
