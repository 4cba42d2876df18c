#include "sim/engine/collective_run.hpp"

#include <algorithm>

namespace switchyard {
namespace {

// An event is a message, named by its ends, or the end of a rank's startup.
constexpr std::uint64_t kStarted = std::uint64_t{1} << 63U;

std::uint64_t event_of(const Flow& flow) {
  return static_cast<std::uint64_t>(flow.source.value()) << 32U |
         static_cast<std::uint64_t>(flow.destination.value());
}

RankId rank_in(std::uint64_t bits) { return RankId{static_cast<std::int32_t>(bits & 0x7fffffffU)}; }

}  // namespace

SchedulePlan::SchedulePlan(const CollectiveSchedule& schedule, int num_ranks)
    : num_ranks_{num_ranks},
      startup_{switchyard::num_rounds(schedule) > 0 ? schedule.startup : Seconds{}} {
  const auto ranks = static_cast<std::size_t>(num_ranks);
  for (const Round& round : schedule.rounds) {
    if (num_messages(round, num_ranks) == 0) continue;
    PlannedRound planned{.repeat = round.repeat,
                         .all_pairs = round.all_pairs,
                         .flows = {},
                         .first_send = {},
                         .message_counts = {}};
    if (!round.all_pairs) {
      planned.message_counts.assign(ranks, 0);
      planned.first_send.assign(ranks + 1, 0);
      for (const Flow& flow : round.flows) {
        if (!crosses_network(flow)) continue;
        planned.flows.push_back(flow);
        ++planned.message_counts[flow.source.index()];
        ++planned.message_counts[flow.destination.index()];
        ++planned.first_send[flow.source.index() + 1];
      }
      for (std::size_t r = 0; r < ranks; ++r) planned.first_send[r + 1] += planned.first_send[r];
      std::ranges::stable_sort(planned.flows, {}, &Flow::source);
    }
    rounds_.push_back(std::move(planned));
  }
}

int SchedulePlan::message_count(int round, RankId rank) const {
  const PlannedRound& planned = at(round);
  return planned.all_pairs ? 2 * (num_ranks_ - 1) : planned.message_counts[rank.index()];
}

CollectiveRun::CollectiveRun(const SchedulePlan& plan, EventSimulator& simulator, Owner& owner,
                             std::uint64_t collective)
    : plan_{&plan},
      simulator_{&simulator},
      owner_{&owner},
      collective_{collective},
      progress_(static_cast<std::size_t>(plan.num_ranks())) {
  if (plan.num_rounds() == 0) return;
  for (std::int32_t rank = 0; rank < plan.num_ranks(); ++rank)
    progress_[static_cast<std::size_t>(rank)].pending = plan.message_count(0, RankId{rank});
}

void CollectiveRun::enter(RankId rank) {
  if (plan_->startup() > Seconds{})
    simulator_->after(plan_->startup(),
                      {this, kStarted | static_cast<std::uint64_t>(rank.value())});
  else
    begin(rank);
}

void CollectiveRun::happened(std::uint64_t event) {
  if ((event & kStarted) != 0) {
    begin(rank_in(event));
    return;
  }
  const RankId source = rank_in(event >> 32U);
  const RankId destination = rank_in(event);
  // A sender is still in the step of its message.
  receive(destination, progress_[source.index()].step);
  --progress_[source.index()].pending;
  advance(source);
  if (num_left_ < plan_->num_ranks()) advance(destination);
}

void CollectiveRun::receive(RankId rank, std::int64_t step) {
  Progress& progress = progress_[rank.index()];
  if (step == progress.step) {
    --progress.pending;
    return;
  }
  const auto ahead = static_cast<std::size_t>(step - progress.step);
  if (progress.early.size() < ahead) progress.early.resize(ahead);
  ++progress.early[ahead - 1];
}

void CollectiveRun::begin(RankId rank) {
  progress_[rank.index()].is_inside = true;
  if (plan_->num_rounds() > 0) send_all(rank);
  advance(rank);
}

void CollectiveRun::send_all(RankId rank) {
  plan_->for_each_send(progress_[rank.index()].round, rank, [&](const Flow& flow) {
    simulator_->send(flow, {this, event_of(flow)});
  });
}

void CollectiveRun::next_step(RankId rank) {
  Progress& progress = progress_[rank.index()];
  ++progress.step;
  if (++progress.repetition == plan_->repeat(progress.round)) {
    progress.repetition = 0;
    ++progress.round;
  }
  if (progress.round == plan_->num_rounds()) return;
  progress.pending = plan_->message_count(progress.round, rank);
  if (!progress.early.empty()) {
    progress.pending -= progress.early.front();
    progress.early.erase(progress.early.begin());
  }
  send_all(rank);
}

void CollectiveRun::advance(RankId rank) {
  Progress& progress = progress_[rank.index()];
  if (!progress.is_inside) return;
  while (progress.round < plan_->num_rounds()) {
    if (progress.pending > 0) return;
    next_step(rank);
  }
  progress.is_inside = false;
  if (++num_left_ == plan_->num_ranks()) progress_ = {};  // a graph holds many finished runs
  owner_->left(collective_, rank);
}

}  // namespace switchyard
