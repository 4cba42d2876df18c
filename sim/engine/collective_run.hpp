#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cost_models/collective_schedule.hpp"
#include "sim/engine/event_simulator.hpp"

namespace switchyard {

/// A schedule indexed for execution. Messages that cross no network and rounds without messages are
/// left out; repeated rounds and rounds of all pairs are not written out.
class SchedulePlan {
 public:
  SchedulePlan(const CollectiveSchedule& schedule, int num_ranks);

  [[nodiscard]] int num_ranks() const { return num_ranks_; }
  [[nodiscard]] Seconds startup() const { return startup_; }
  [[nodiscard]] int num_rounds() const { return static_cast<int>(rounds_.size()); }
  [[nodiscard]] int repeat(int round) const { return at(round).repeat; }

  /// Messages from or to a rank in one repetition of a round.
  [[nodiscard]] int message_count(int round, RankId rank) const;

  /// Calls `visit(flow)` for what `rank` sends, in the order of the schedule.
  template <class Visit>
  void for_each_send(int round, RankId rank, const Visit& visit) const {
    const PlannedRound& planned = at(round);
    if (planned.all_pairs) {
      for (std::int32_t to = 0; to < num_ranks_; ++to)
        if (to != rank.value()) visit(Flow{rank, RankId{to}, planned.all_pairs->bytes});
      return;
    }
    for (std::uint32_t k = planned.first_send[rank.index()];
         k < planned.first_send[rank.index() + 1]; ++k)
      visit(planned.flows[k]);
  }

 private:
  struct PlannedRound {
    int repeat = 1;
    std::optional<AllPairs> all_pairs;
    std::vector<Flow> flows;                ///< by sender
    std::vector<std::uint32_t> first_send;  ///< by rank, and the end
    std::vector<int> message_counts;        ///< by rank
  };

  [[nodiscard]] const PlannedRound& at(int round) const {
    return rounds_[static_cast<std::size_t>(round)];
  }

  int num_ranks_ = 0;
  Seconds startup_;
  std::vector<PlannedRound> rounds_;
};

/// One execution of a schedule, by the rule of Round: a rank begins its sends of a round when its
/// own messages of the round before are complete; those of the first after the startup. Sends are
/// one-sided: the receiver need not have entered. A rank leaves when it has entered and all its
/// messages are complete.
class CollectiveRun final : public EventHandler {
 public:
  /// Is told when a rank leaves.
  class Owner {
   public:
    virtual void left(std::uint64_t collective, RankId rank) = 0;

   protected:
    ~Owner() = default;
  };

  /// All three must outlive the run. The owner is told once for each rank, at the latest from
  /// within run() of the simulator; for a rank without messages from within enter().
  CollectiveRun(const SchedulePlan& plan, EventSimulator& simulator, Owner& owner,
                std::uint64_t collective);

  /// Once for each rank.
  void enter(RankId rank);

  void happened(std::uint64_t event) override;

 private:
  /// Where a rank is. Steps count rounds with their repetitions.
  struct Progress {
    std::int64_t step = 0;
    int round = 0;
    int repetition = 0;
    int pending = 0;         ///< messages of the step that are not complete
    bool is_inside = false;  ///< between the startup and leaving
    std::vector<int> early;  ///< messages received of the steps after this one
  };

  void begin(RankId rank);
  void send_all(RankId rank);
  void receive(RankId rank, std::int64_t step);
  void advance(RankId rank);
  void next_step(RankId rank);

  const SchedulePlan* plan_;
  EventSimulator* simulator_;
  Owner* owner_;
  std::uint64_t collective_;
  int num_left_ = 0;
  std::vector<Progress> progress_;  ///< by rank; empty when all have left
};

}  // namespace switchyard
