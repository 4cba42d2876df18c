#pragma once

#include <utility>
#include <vector>

#include "sim/engine/engine.hpp"
#include "topologies/torus.hpp"

namespace switchyard::testing {

/// Adds a compute task to `graph`.
inline TaskId add_compute(TaskGraph& graph, Seconds duration, std::vector<TaskId> dependencies = {},
                          std::vector<double> rank_slowdown = {}) {
  Task task;
  task.name = "compute";
  task.duration = duration;
  task.dependencies = std::move(dependencies);
  task.rank_slowdown = std::move(rank_slowdown);
  graph.tasks.push_back(std::move(task));
  return TaskId{static_cast<std::int32_t>(graph.tasks.size()) - 1};
}

/// Adds a collective task and its schedule to `graph`.
inline TaskId add_collective(TaskGraph& graph, CollectiveSchedule schedule,
                             std::vector<TaskId> dependencies = {}) {
  Task task;
  task.name = schedule.algorithm;
  task.schedule = static_cast<int>(graph.schedules.size());
  task.dependencies = std::move(dependencies);
  graph.schedules.push_back(std::move(schedule));
  graph.tasks.push_back(std::move(task));
  return TaskId{static_cast<std::int32_t>(graph.tasks.size()) - 1};
}

/// One round with the given flows.
inline CollectiveSchedule one_round(std::vector<Flow> flows) {
  CollectiveSchedule schedule{.algorithm = "one round", .rounds = {}};
  schedule.rounds.push_back({.flows = std::move(flows)});
  return schedule;
}

inline const Span& span_of(const Timeline& timeline, TaskId task, int rank) {
  return timeline.spans[task.index() * static_cast<std::size_t>(timeline.num_ranks) +
                        static_cast<std::size_t>(rank)];
}

inline double start_s(const Timeline& timeline, TaskId task, int rank) {
  return span_of(timeline, task, rank).start.base();
}

inline double end_s(const Timeline& timeline, TaskId task, int rank) {
  return span_of(timeline, task, rank).end.base();
}

}  // namespace switchyard::testing
