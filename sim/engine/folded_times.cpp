#include "sim/engine/folded_times.hpp"

#include <algorithm>

#include "cost_models/collectives.hpp"

namespace switchyard {

std::vector<Seconds> schedule_times(const TaskGraph& graph, const Topology& topology) {
  std::vector<Seconds> times;
  for (const CollectiveSchedule& schedule : graph.schedules)
    times.push_back(schedule_time(schedule, topology));
  return times;
}

std::vector<Seconds> folded_ends(const std::vector<Task>& tasks,
                                 const std::vector<Seconds>& schedule_times) {
  std::vector<Seconds> ends(tasks.size());
  Seconds free;  // end of the last computing task
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Seconds ready = tasks[i].launched;
    for (const TaskId dependency : tasks[i].dependencies)
      ready = std::max(ready, ends[dependency.index()]);
    if (is_collective(tasks[i]))
      ends[i] = ready + schedule_times[static_cast<std::size_t>(tasks[i].schedule)];
    else
      ends[i] = free = std::max(ready, free) + tasks[i].duration;
  }
  return ends;
}

}  // namespace switchyard
