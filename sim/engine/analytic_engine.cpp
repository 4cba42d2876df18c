#include <algorithm>
#include <utility>

#include "cost_models/collectives.hpp"
#include "sim/engine/backends.hpp"
#include "sim/engine/graph_run.hpp"

namespace switchyard {
namespace {

bool has_messages(const CollectiveSchedule& schedule, int ranks) {
  return std::ranges::any_of(schedule.rounds,
                             [&](const Round& round) { return num_messages(round, ranks) > 0; });
}

}  // namespace

std::vector<Span> analytic_spans(const TaskGraph& graph, const Topology& topology,
                                 int shown_ranks) {
  const auto ranks = static_cast<std::size_t>(shown_ranks);
  std::vector<Seconds> times;
  std::vector<bool> synchronises;
  for (const CollectiveSchedule& schedule : graph.schedules) {
    times.push_back(schedule_time(schedule, topology));
    synchronises.push_back(has_messages(schedule, num_ranks(topology)));
  }

  std::vector<Span> spans(graph.tasks.size() * ranks);
  std::vector<Seconds> rank_free(ranks);  // end of the rank's last compute task
  for (std::size_t t = 0; t < graph.tasks.size(); ++t) {
    const Task& task = graph.tasks[t];
    Seconds last_entry;
    for (std::size_t r = 0; r < ranks; ++r) {
      const RankId rank{static_cast<std::int32_t>(r)};
      Seconds ready = task.launched;
      for (const TaskId dependency : task.dependencies)
        ready = std::max(ready, spans[dependency.index() * ranks + r].end);
      Span& span = spans[t * ranks + r];
      span = {
          .task = TaskId{static_cast<std::int32_t>(t)}, .rank = rank, .start = ready, .end = ready};
      last_entry = std::max(last_entry, ready);
      if (is_collective(task)) continue;
      span.start = std::max(ready, rank_free[r]);
      span.end = rank_free[r] = span.start + compute_time(task, rank);
    }
    if (!is_collective(task) || !synchronises[static_cast<std::size_t>(task.schedule)]) continue;
    for (std::size_t r = 0; r < ranks; ++r)
      spans[t * ranks + r].end = last_entry + times[static_cast<std::size_t>(task.schedule)];
  }
  return spans;
}

}  // namespace switchyard
