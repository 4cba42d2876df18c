#pragma once

#include <functional>
#include <span>
#include <vector>

#include "cost_models/collective_schedule.hpp"
#include "sim/engine/event_simulator.hpp"

namespace switchyard {

/// A message and the round it belongs to.
struct Message {
  Flow flow;
  int round = 0;
};

/// A schedule indexed for execution. Messages that cross no network are left out.
class SchedulePlan {
 public:
  SchedulePlan(const CollectiveSchedule& schedule, int num_ranks);

  [[nodiscard]] int num_ranks() const { return num_ranks_; }
  [[nodiscard]] int num_rounds() const { return num_rounds_; }
  [[nodiscard]] Seconds startup() const { return startup_; }

  /// What `rank` sends in `round`, in the order of the schedule.
  [[nodiscard]] std::span<const Message> sends(int round, RankId rank) const;

  /// Messages from or to a rank in a round; entry [round * num_ranks + rank].
  [[nodiscard]] const std::vector<int>& message_counts() const { return message_counts_; }

 private:
  int num_ranks_ = 0;
  int num_rounds_ = 0;
  Seconds startup_;
  std::vector<Message> messages_;        ///< by round, then sender
  std::vector<std::size_t> first_send_;  ///< [round * num_ranks + rank], and the end
  std::vector<int> message_counts_;
};

/// One execution of a schedule, by the rule of Round: a rank begins its sends of a round when its
/// own messages of the round before are complete; those of the first after the startup. Sends are
/// one-sided: the receiver need not have entered. A rank leaves when it has entered and all its
/// messages are complete.
class CollectiveRun {
 public:
  using Left = std::function<void(RankId)>;

  /// `plan` and `simulator` must outlive the run. `left` is called once for each rank, at the
  /// latest from within run() of the simulator; for a rank without messages from within enter().
  CollectiveRun(const SchedulePlan& plan, EventSimulator& simulator, Left left);

  /// Once for each rank.
  void enter(RankId rank);

 private:
  void begin(RankId rank);
  void begin_round(RankId rank);
  void complete(const Message& message);
  void advance(RankId rank);
  int& pending(int round, RankId rank);

  const SchedulePlan* plan_;
  EventSimulator* simulator_;
  Left left_;
  int num_left_ = 0;
  std::vector<int> round_;    ///< by rank; kOutside before it enters and after it leaves
  std::vector<int> pending_;  ///< messages not complete yet, as SchedulePlan::message_counts()
};

}  // namespace switchyard
