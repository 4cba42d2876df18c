#include "sim/engine/graph_run.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>

#include "sim/core/error.hpp"
#include "sim/engine/collective_run.hpp"

namespace switchyard {
namespace {

// Events of a GraphRun; others are slots of compute tasks.
constexpr std::uint64_t kLeaveServed = std::uint64_t{1} << 63U;  ///< and the number of the group
constexpr std::uint64_t kAllCouldEnter = std::uint64_t{1} << 62U;
constexpr std::uint64_t kLaunched = std::uint64_t{1} << 61U;  ///< and the slot

/// All state of one execution. Work that becomes ready goes through a queue, so that long chains
/// of tasks without duration do not recurse and ties keep the order in which they arose.
class GraphRun final : public EventHandler, public CollectiveRun::Owner {
 public:
  GraphRun(const TaskGraph& graph, int num_ranks, EventSimulator& simulator, AloneTimes* alone);

  std::vector<Span> run();

  /// A compute task has ended, all ranks had the time to enter a collective, or some leave one that
  /// is served.
  void happened(std::uint64_t event) override;
  void left(std::uint64_t collective, RankId rank) override;

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
  void send_messages(TaskId task, RankId rank);
  void begin_collective(TaskId task);
  void all_could_enter();
  void serve();
  void leave_served(std::size_t group);
  void start_computes(RankId rank);
  [[nodiscard]] bool waits_for_launch(TaskId task, RankId rank);
  void finish(TaskId task, RankId rank);
  void start_ready_work();

  const TaskGraph* graph_;
  int num_ranks_;
  EventSimulator* simulator_;
  AloneTimes* alone_;

  /// A collective that is, or may be, executed without messages.
  struct Served {
    TaskId task;
    bool is_waiting = false;      ///< for all ranks to enter
    std::vector<RankId> entered;  ///< while waiting; then in the order in which they leave
    std::vector<std::size_t>
        first_of_group;  ///< in `entered`: those who leave together, and the end
  };

  std::vector<Span> spans_;
  std::size_t num_finished_ = 0;
  std::vector<int> missing_;                     ///< dependencies not done, by slot()
  std::vector<std::vector<TaskId>> dependents_;  ///< by task
  std::vector<TaskId> computes_;                 ///< the compute tasks in order
  std::vector<std::size_t> next_compute_;        ///< by rank, into computes_
  std::vector<bool> busy_;                       ///< by rank
  std::vector<TaskId> launching_;    ///< by rank: the compute task whose launch it awaits
  std::vector<SchedulePlan> plans_;  ///< by schedule
  std::vector<std::unique_ptr<CollectiveRun>> collectives_;  ///< by task; made when entered
  std::vector<int> num_entered_;                             ///< by task: ranks in a collective
  std::vector<int> num_left_;                                ///< by task
  int num_under_way_ = 0;                                    ///< collectives with messages
  std::optional<Served> served_;
  std::deque<Ready> ready_;
  bool starting_ready_work_ = false;
};

GraphRun::GraphRun(const TaskGraph& graph, int num_ranks, EventSimulator& simulator,
                   AloneTimes* alone)
    : graph_{&graph}, num_ranks_{num_ranks}, simulator_{&simulator}, alone_{alone} {
  const auto ranks = static_cast<std::size_t>(num_ranks);
  const std::size_t tasks = graph.tasks.size();
  spans_.resize(tasks * ranks);
  missing_.resize(tasks * ranks);
  dependents_.resize(tasks);
  collectives_.resize(tasks);
  num_entered_.resize(tasks);
  num_left_.resize(tasks);
  next_compute_.assign(ranks, 0);
  busy_.assign(ranks, false);
  launching_.assign(ranks, TaskId{-1});
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
    if (!is_collective(task_of(task)))
      start_computes(rank);
    else if (!waits_for_launch(task, rank))
      enter_collective(task, rank);
  }
  starting_ready_work_ = false;
}

/// Whether the host has yet to launch a task that is ready; then the task comes again.
bool GraphRun::waits_for_launch(TaskId task, RankId rank) {
  const Seconds launched = task_of(task).launched;
  // Dates are sums that round: what is launched a billionth later is launched now.
  if (launched <= (1.0 + 1e-9) * simulator_->now()) return false;
  simulator_->after(launched - simulator_->now(), {this, kLaunched | slot(task, rank)});
  return true;
}

void GraphRun::enter_collective(TaskId task, RankId rank) {
  spans_[slot(task, rank)].start = simulator_->now();
  if (num_entered_[task.index()]++ == 0) begin_collective(task);
  if (served_ && served_->is_waiting && served_->task == task)
    served_->entered.push_back(rank);
  else
    send_messages(task, rank);
}

/// The first rank enters.
void GraphRun::begin_collective(TaskId task) {
  const int schedule = task_of(task).schedule;
  if (plans_[static_cast<std::size_t>(schedule)].num_rounds() == 0) return;
  if (served_ && !served_->is_waiting) throw ServedTooEarly{task_of(served_->task).schedule};
  if (++num_under_way_ > 1 || alone_ == nullptr || !alone_->may_serve(schedule)) return;
  served_ = Served{.task = task, .is_waiting = true, .entered = {}, .first_of_group = {}};
  simulator_->after(Seconds{0}, {this, kAllCouldEnter});
}

void GraphRun::send_messages(TaskId task, RankId rank) {
  auto& collective = collectives_[task.index()];
  if (!collective)
    collective = std::make_unique<CollectiveRun>(
        plans_[static_cast<std::size_t>(task_of(task).schedule)], *simulator_, *this, task.index());
  collective->enter(rank);
}

void GraphRun::all_could_enter() {
  if (num_under_way_ == 1 && std::ssize(served_->entered) == num_ranks_) {
    serve();
    return;
  }
  const Served waiting = std::move(*served_);
  served_.reset();
  for (const RankId rank : waiting.entered) send_messages(waiting.task, rank);
  start_ready_work();
}

void GraphRun::serve() {
  served_->is_waiting = false;
  const int schedule = task_of(served_->task).schedule;
  const std::vector<Seconds>& times = alone_->times(schedule);
  std::vector<RankId>& ranks = served_->entered;
  std::ranges::stable_sort(ranks, {}, [&](RankId rank) { return times[rank.index()]; });
  const Seconds startup = plans_[static_cast<std::size_t>(schedule)].startup();
  for (std::size_t k = 0; k < ranks.size(); ++k) {
    if (k > 0 && times[ranks[k].index()] == times[ranks[k - 1].index()]) continue;
    simulator_->after(startup + times[ranks[k].index()],
                      {this, kLeaveServed | served_->first_of_group.size()});
    served_->first_of_group.push_back(k);
  }
  served_->first_of_group.push_back(ranks.size());
}

void GraphRun::leave_served(std::size_t group) {
  const TaskId task = served_->task;
  const std::size_t end = served_->first_of_group[group + 1];
  std::vector<RankId> leaving;
  for (std::size_t k = served_->first_of_group[group]; k < end; ++k)
    leaving.push_back(served_->entered[k]);
  if (end == served_->entered.size()) {
    served_.reset();
    --num_under_way_;
  }
  for (const RankId rank : leaving) finish(task, rank);
  start_ready_work();
}

/// Starts the rank's next compute task if it is ready; those without duration finish at once.
void GraphRun::start_computes(RankId rank) {
  std::size_t& next = next_compute_[rank.index()];
  while (!busy_[rank.index()] && next < computes_.size() &&
         missing_[slot(computes_[next], rank)] == 0) {
    const TaskId task = computes_[next];
    if (launching_[rank.index()] == task) return;
    if (waits_for_launch(task, rank)) {
      launching_[rank.index()] = task;
      return;
    }
    const Seconds duration = compute_time(task_of(task), rank);
    spans_[slot(task, rank)].start = simulator_->now();
    ++next;
    if (duration == Seconds{0}) {
      finish(task, rank);
      continue;
    }
    busy_[rank.index()] = true;
    simulator_->after(duration, {this, slot(task, rank)});
  }
}

void GraphRun::happened(std::uint64_t event) {
  if (event == kAllCouldEnter) {
    all_could_enter();
    return;
  }
  if ((event & kLeaveServed) != 0) {
    leave_served(event & ~kLeaveServed);
    return;
  }
  const bool is_launch = (event & kLaunched) != 0;
  event &= ~kLaunched;
  const auto ranks = static_cast<std::uint64_t>(num_ranks_);
  const TaskId task{static_cast<std::int32_t>(event / ranks)};
  const RankId rank{static_cast<std::int32_t>(event % ranks)};
  if (is_launch) {
    launching_[rank.index()] = TaskId{-1};
    ready_.push_back({task, rank});
    start_ready_work();
    return;
  }
  busy_[rank.index()] = false;
  finish(task, rank);
  start_computes(rank);
  start_ready_work();
}

void GraphRun::left(std::uint64_t collective, RankId rank) {
  const TaskId task{static_cast<std::int32_t>(collective)};
  const bool has_messages =
      plans_[static_cast<std::size_t>(task_of(task).schedule)].num_rounds() > 0;
  if (++num_left_[collective] == num_ranks_ && has_messages) --num_under_way_;
  finish(task, rank);
  start_ready_work();
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

std::vector<Span> run_graph(const TaskGraph& graph, int num_ranks, EventSimulator& simulator,
                            AloneTimes* alone) {
  return GraphRun{graph, num_ranks, simulator, alone}.run();
}

}  // namespace switchyard
