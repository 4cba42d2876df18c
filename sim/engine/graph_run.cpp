#include "sim/engine/graph_run.hpp"

#include <deque>
#include <memory>

#include "sim/core/error.hpp"
#include "sim/engine/collective_run.hpp"

namespace switchyard {
namespace {

/// All state of one execution. Work that becomes ready goes through a queue, so that long chains
/// of tasks without duration do not recurse and ties keep the order in which they arose.
class GraphRun {
 public:
  GraphRun(const TaskGraph& graph, int num_ranks, EventSimulator& simulator);

  std::vector<Span> run();

 private:
  struct Ready {
    TaskId task;
    RankId rank;
  };

  [[nodiscard]] const Task& task_of(TaskId task) const { return graph_->tasks[task.index()]; }
  [[nodiscard]] std::size_t slot(TaskId task, RankId rank) const {
    return task.index() * static_cast<std::size_t>(num_ranks_) + rank.index();
  }

  void enter_collective(TaskId task, RankId rank);
  void start_computes(RankId rank);
  void finish(TaskId task, RankId rank);
  void start_ready_work();

  const TaskGraph* graph_;
  int num_ranks_;
  EventSimulator* simulator_;

  std::vector<Span> spans_;
  std::size_t num_finished_ = 0;
  std::vector<int> missing_;                                 ///< dependencies not done, by slot()
  std::vector<std::vector<TaskId>> dependents_;              ///< by task
  std::vector<TaskId> computes_;                             ///< the compute tasks in order
  std::vector<std::size_t> next_compute_;                    ///< by rank, into computes_
  std::vector<bool> busy_;                                   ///< by rank
  std::vector<SchedulePlan> plans_;                          ///< by schedule
  std::vector<std::unique_ptr<CollectiveRun>> collectives_;  ///< by task; made when entered
  std::deque<Ready> ready_;
  bool starting_ready_work_ = false;
};

GraphRun::GraphRun(const TaskGraph& graph, int num_ranks, EventSimulator& simulator)
    : graph_{&graph}, num_ranks_{num_ranks}, simulator_{&simulator} {
  const auto ranks = static_cast<std::size_t>(num_ranks);
  const std::size_t tasks = graph.tasks.size();
  spans_.resize(tasks * ranks);
  missing_.resize(tasks * ranks);
  dependents_.resize(tasks);
  collectives_.resize(tasks);
  next_compute_.assign(ranks, 0);
  busy_.assign(ranks, false);
  for (std::size_t t = 0; t < tasks; ++t) {
    const TaskId id{static_cast<std::int32_t>(t)};
    const Task& task = graph.tasks[t];
    for (const TaskId dependency : task.dependencies) dependents_[dependency.index()].push_back(id);
    for (int r = 0; r < num_ranks; ++r)
      missing_[slot(id, RankId{r})] = static_cast<int>(task.dependencies.size());
    if (!is_collective(task)) computes_.push_back(id);
  }
  for (const CollectiveSchedule& schedule : graph.schedules)
    plans_.emplace_back(schedule, num_ranks);
}

std::vector<Span> GraphRun::run() {
  for (std::size_t t = 0; t < graph_->tasks.size(); ++t)
    for (int r = 0; graph_->tasks[t].dependencies.empty() && r < num_ranks_; ++r)
      ready_.push_back({TaskId{static_cast<std::int32_t>(t)}, RankId{r}});
  start_ready_work();
  simulator_->run();
  SWITCHYARD_CHECK(num_finished_ == spans_.size(), "{} of {} spans finished", num_finished_,
                   spans_.size());
  return std::move(spans_);
}

void GraphRun::start_ready_work() {
  if (starting_ready_work_) return;
  starting_ready_work_ = true;
  while (!ready_.empty()) {
    const auto [task, rank] = ready_.front();
    ready_.pop_front();
    if (is_collective(task_of(task)))
      enter_collective(task, rank);
    else
      start_computes(rank);
  }
  starting_ready_work_ = false;
}

void GraphRun::enter_collective(TaskId task, RankId rank) {
  auto& collective = collectives_[task.index()];
  if (!collective) {
    collective =
        std::make_unique<CollectiveRun>(plans_[static_cast<std::size_t>(task_of(task).schedule)],
                                        *simulator_, [this, task](RankId leaving) {
                                          finish(task, leaving);
                                          start_ready_work();
                                        });
  }
  spans_[slot(task, rank)].start = simulator_->now();
  collective->enter(rank);
}

/// Starts the rank's next compute task if it is ready; those without duration finish at once.
void GraphRun::start_computes(RankId rank) {
  std::size_t& next = next_compute_[rank.index()];
  while (!busy_[rank.index()] && next < computes_.size() &&
         missing_[slot(computes_[next], rank)] == 0) {
    const TaskId task = computes_[next];
    const Seconds duration = compute_time(task_of(task), rank);
    spans_[slot(task, rank)].start = simulator_->now();
    ++next;
    if (duration == Seconds{0}) {
      finish(task, rank);
      continue;
    }
    busy_[rank.index()] = true;
    simulator_->after(duration, [this, task, rank] {
      busy_[rank.index()] = false;
      finish(task, rank);
      start_computes(rank);
      start_ready_work();
    });
  }
}

void GraphRun::finish(TaskId task, RankId rank) {
  Span& span = spans_[slot(task, rank)];
  span.task = task;
  span.rank = rank;
  span.end = simulator_->now();
  ++num_finished_;
  for (const TaskId dependent : dependents_[task.index()])
    if (--missing_[slot(dependent, rank)] == 0) ready_.push_back({dependent, rank});
}

}  // namespace

Seconds compute_time(const Task& task, RankId rank) {
  return task.rank_slowdown.empty() ? task.duration
                                    : task.rank_slowdown[rank.index()] * task.duration;
}

std::vector<Span> run_graph(const TaskGraph& graph, int num_ranks, EventSimulator& simulator) {
  return GraphRun{graph, num_ranks, simulator}.run();
}

}  // namespace switchyard
