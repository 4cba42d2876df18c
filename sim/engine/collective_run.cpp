#include "sim/engine/collective_run.hpp"

#include <algorithm>
#include <utility>

namespace switchyard {
namespace {

constexpr int kOutside = -1;

std::size_t slot(int round, int num_ranks, RankId rank) {
  return static_cast<std::size_t>(round) * static_cast<std::size_t>(num_ranks) + rank.index();
}

}  // namespace

SchedulePlan::SchedulePlan(const CollectiveSchedule& schedule, int num_ranks)
    : num_ranks_{num_ranks},
      num_rounds_{static_cast<int>(switchyard::num_rounds(schedule))},
      startup_{schedule.startup} {
  const std::size_t slots =
      static_cast<std::size_t>(num_rounds_) * static_cast<std::size_t>(num_ranks);
  message_counts_.assign(slots, 0);
  first_send_.assign(slots + 1, 0);
  int round_number = 0;
  for (const Round& round : schedule.rounds) {
    for (int k = 0; k < round.repeat; ++k, ++round_number) {
      for_each_message(round, num_ranks, [&](const Flow& flow) {
        messages_.push_back({flow, round_number});
        ++message_counts_[slot(round_number, num_ranks, flow.source)];
        ++message_counts_[slot(round_number, num_ranks, flow.destination)];
        ++first_send_[slot(round_number, num_ranks, flow.source) + 1];
      });
    }
  }
  for (std::size_t k = 1; k <= slots; ++k) first_send_[k] += first_send_[k - 1];
  std::ranges::stable_sort(messages_, {}, [](const Message& message) {
    return std::pair{message.round, message.flow.source};
  });
}

std::span<const Message> SchedulePlan::sends(int round, RankId rank) const {
  const std::size_t k = slot(round, num_ranks_, rank);
  return std::span{messages_}.subspan(first_send_[k], first_send_[k + 1] - first_send_[k]);
}

CollectiveRun::CollectiveRun(const SchedulePlan& plan, EventSimulator& simulator, Left left)
    : plan_{&plan},
      simulator_{&simulator},
      left_{std::move(left)},
      round_(static_cast<std::size_t>(plan.num_ranks()), kOutside),
      pending_{plan.message_counts()} {}

int& CollectiveRun::pending(int round, RankId rank) {
  return pending_[slot(round, plan_->num_ranks(), rank)];
}

void CollectiveRun::enter(RankId rank) {
  if (plan_->startup() > Seconds{0} && plan_->num_rounds() > 0)
    simulator_->after(plan_->startup(), [this, rank] { begin(rank); });
  else
    begin(rank);
}

void CollectiveRun::begin(RankId rank) {
  round_[rank.index()] = 0;
  if (plan_->num_rounds() > 0) begin_round(rank);
  advance(rank);
}

void CollectiveRun::begin_round(RankId rank) {
  for (const Message& message : plan_->sends(round_[rank.index()], rank))
    simulator_->send(message.flow, [this, &message] { complete(message); });
}

void CollectiveRun::complete(const Message& message) {
  --pending(message.round, message.flow.source);
  --pending(message.round, message.flow.destination);
  advance(message.flow.source);
  advance(message.flow.destination);
}

void CollectiveRun::advance(RankId rank) {
  int& round = round_[rank.index()];
  if (round == kOutside) return;
  while (round < plan_->num_rounds()) {
    if (pending(round, rank) > 0) return;
    if (++round < plan_->num_rounds()) begin_round(rank);
  }
  round = kOutside;
  if (++num_left_ == plan_->num_ranks()) pending_ = {};  // a long graph holds many finished runs
  left_(rank);
}

}  // namespace switchyard
