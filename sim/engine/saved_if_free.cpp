#include "sim/engine/saved_if_free.hpp"

#include <algorithm>

#include "sim/engine/folded_times.hpp"

namespace switchyard {
namespace {

Seconds step_time(const StepGraph& graph, const std::vector<Task>& tasks,
                  const std::vector<Seconds>& schedules) {
  const std::vector<Seconds> ends = folded_ends(tasks, schedules);
  Seconds microbatch;
  for (std::size_t i = 0; i < graph.microbatch.size(); ++i)
    microbatch = std::max(microbatch, ends[i]);
  return *std::ranges::max_element(ends) + (graph.num_microbatches - 1.0) * microbatch;
}

}  // namespace

std::vector<Task> tasks_without(const StepGraph& graph, const TaskGraph& tasks,
                                OperatorClass without) {
  std::vector<Task> changed = tasks.tasks;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const StepNode& node = i < graph.microbatch.size() ? graph.microbatch[i]
                                                       : graph.update[i - graph.microbatch.size()];
    if (std::visit([](const auto& n) { return n.operator_class; }, node) != without) continue;
    changed[i].schedule = -1;
    changed[i].duration = Seconds{};
  }
  return changed;
}

Seconds saved_by_launches(const StepGraph& graph, const TaskGraph& tasks,
                          const Topology& topology) {
  if (tasks.tasks.empty() || tasks.tasks.back().launched == Seconds{}) return {};
  const std::vector<Seconds> schedules = schedule_times(tasks, topology);
  std::vector<Task> at_once = tasks.tasks;
  for (Task& task : at_once) task.launched = Seconds{};
  return step_time(graph, tasks.tasks, schedules) - step_time(graph, at_once, schedules);
}

void add_savings(const StepGraph& graph, const TaskGraph& tasks, const Topology& topology,
                 std::vector<ClassShare>& shares) {
  if (tasks.tasks.empty()) return;
  const std::vector<Seconds> schedules = schedule_times(tasks, topology);
  const Seconds whole = step_time(graph, tasks.tasks, schedules);
  for (ClassShare& share : shares)
    share.saved_if_free =
        whole - step_time(graph, tasks_without(graph, tasks, share.operator_class), schedules);
}

}  // namespace switchyard
