#include <algorithm>
#include <map>
#include <tuple>

#include "cost_models/collectives.hpp"
#include "cost_models/routed_compute.hpp"
#include "sim/engine/training_run.hpp"

namespace switchyard {
namespace {

/// Bytes that the busiest rank sends to others.
Bytes sent_by_a_rank(const CollectiveSchedule& schedule, int ranks) {
  std::vector<Bytes> sent(static_cast<std::size_t>(ranks));
  for (const Round& round : schedule.rounds)
    for_each_message(round, ranks, [&](const Flow& flow) {
      sent[flow.source.index()] += round.repeat * flow.bytes;
    });
  return std::ranges::max(sent);
}

/// What each rank sends to each other: from the tokens to their experts, or back.
Eigen::MatrixXd traffic_of(const Collective& collective, const LayerRows& rows) {
  const Eigen::MatrixXd there =
      collective.row_bytes.base() * rows.between_ranks.cast<double>().matrix();
  return collective.routed.rows == RoutedRows::kSentByRank ? there : there.transpose();
}

/// Collectives of equal kind, ranks and size share one schedule; those of routed rows share it with
/// others of the same layer and direction.
class Schedules {
 public:
  Schedules(const Topology& topology, std::span<const LayerRows> routing,
            std::vector<CollectiveSchedule>& schedules)
      : topology_{&topology}, routing_{routing}, schedules_{&schedules} {}

  /// What a rank sends in the schedule of that index.
  [[nodiscard]] Bytes sent(int index) const { return sent_[static_cast<std::size_t>(index)]; }

  int index_of(const Collective& collective) {
    const bool is_drawn = collective.routed.rows != RoutedRows::kNone && !routing_.empty();
    const Key key = is_drawn ? Key{collective.kind, collective.ranks, 0.0,
                                   collective.routed.moe_layer, collective.routed.rows}
                             : Key{collective.kind, collective.ranks, collective.buffer.base(), 0,
                                   RoutedRows::kNone};
    const auto [place, is_new] = indices_.try_emplace(key, static_cast<int>(schedules_->size()));
    if (is_new) {
      CollectiveRequest request{.kind = collective.kind, .size = collective.buffer};
      if (!collective.ranks.empty()) request.groups = {collective.ranks};
      if (is_drawn)
        request.traffic = {traffic_of(
            collective, routing_[static_cast<std::size_t>(collective.routed.moe_layer)])};
      schedules_->push_back(build_collective(request, *topology_));
      schedules_->back().proven_bound = lower_bound(request, *topology_);
      sent_.push_back(sent_by_a_rank(schedules_->back(), num_ranks(*topology_)));
    }
    return place->second;
  }

 private:
  /// Kind, ranks, size; of drawn rows the layer and the direction instead of the size.
  using Key = std::tuple<CollectiveKind, std::vector<RankId>, double, int, RoutedRows>;

  const Topology* topology_;
  std::span<const LayerRows> routing_;
  std::vector<CollectiveSchedule>* schedules_;
  std::vector<Bytes> sent_;  ///< beside each schedule
  std::map<Key, int> indices_;
};

/// Sets the longest rank's duration, and how much shorter it is on others.
void set_durations(const std::vector<OperatorWork>& work, Task& task) {
  const auto longest = std::ranges::max_element(work, {}, &OperatorWork::time);
  const auto ranks = static_cast<double>(work.size());
  task.duration = longest->time;
  for (const OperatorWork& rank : work) {
    task.flop += rank.flop / ranks;
    task.bytes += rank.bytes / ranks;
  }
  if (std::ranges::all_of(work, [&](const OperatorWork& w) { return w.time == task.duration; }))
    return;
  for (const OperatorWork& rank : work) task.rank_slowdown.push_back(rank.time / task.duration);
}

}  // namespace

TaskGraph price_step(const StepGraph& graph, const System& system, const Topology& topology,
                     int num_microbatches, std::span<const LayerRows> routing) {
  TaskGraph priced;
  Schedules schedules{topology, routing, priced.schedules};

  const auto append = [&](const StepNode& node) {
    Task task;
    if (!priced.tasks.empty())
      task.dependencies.emplace_back(static_cast<std::int32_t>(priced.tasks.size()) - 1);
    if (const auto* op = std::get_if<Operator>(&node)) {
      task.name = op->name;
      task.category = class_name(op->operator_class);
      const auto layer = static_cast<std::size_t>(op->routed.moe_layer);
      if (op->routed.rows != RoutedRows::kNone && !routing.empty())
        set_durations(routed_work(*op, routing[layer], system.device), task);
      else
        set_durations({operator_work(*op, system.device)}, task);
    } else {
      const auto& collective = std::get<Collective>(node);
      task.name = collective.name;
      task.category = class_name(collective.operator_class);
      task.schedule = schedules.index_of(collective);
      task.bytes = schedules.sent(task.schedule);
    }
    priced.tasks.push_back(std::move(task));
  };

  for (int i = 0; i < num_microbatches; ++i)
    for (const StepNode& node : graph.microbatch) append(node);
  for (const StepNode& node : graph.update) append(node);
  return priced;
}

TaskGraph price_step(const StepGraph& graph, const System& system, int num_microbatches) {
  return price_step(graph, system, build_topology(system.network), num_microbatches);
}

}  // namespace switchyard
