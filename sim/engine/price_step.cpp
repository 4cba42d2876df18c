#include <algorithm>
#include <map>
#include <tuple>

#include "cost_models/collectives.hpp"
#include "cost_models/library_collective.hpp"
#include "cost_models/routed_compute.hpp"
#include "sim/engine/training_run.hpp"
#include "sim/workload/node_list.hpp"

namespace switchyard {
namespace {

/// Bytes that the busiest rank sends to others.
Bytes sent_by_a_rank(const CollectiveSchedule& schedule, int ranks) {
  std::vector<Bytes> sent(static_cast<std::size_t>(ranks));
  Bytes sent_by_all;
  for (const Round& round : schedule.rounds) {
    if (round.all_pairs)
      sent_by_all += (round.repeat * (ranks - 1.0)) * round.all_pairs->bytes;
    else
      for_each_message(round, ranks, [&](const Flow& flow) {
        sent[flow.source.index()] += round.repeat * flow.bytes;
      });
  }
  return std::ranges::max(sent) + sent_by_all;
}

/// What each rank of a group sends to each other: from the tokens to their experts, or back.
Eigen::MatrixXd traffic_of(const Collective& collective, const LayerRows& rows) {
  const Eigen::MatrixXd there =
      collective.row_bytes.base() * rows.between_ranks.cast<double>().matrix();
  return collective.routed.rows == RoutedRows::kSentByRank ? there : there.transpose();
}

/// What was measured and is then multiplied by an anchor's factor is fitted: to one step.
TimeEvidence anchored(TimeEvidence evidence, double factor) {
  if (factor != 1.0) evidence.provenance = std::max(evidence.provenance, Provenance::kFitted);
  return evidence;
}

/// Collectives of equal kind, ranks and size share one schedule; those of routed rows share it with
/// others of the same layer and direction.
class Schedules {
 public:
  Schedules(const StepGraph& graph, const System& system, const Topology& topology,
            std::span<const LayerRows> routing, std::vector<CollectiveSchedule>& schedules)
      : partition_{graph.partition},
        system_{&system},
        topology_{&topology},
        cuts_{network_cuts(topology)},
        routing_{routing},
        schedules_{&schedules} {}

  /// What a rank sends in the schedule of that index.
  [[nodiscard]] Bytes sent(int index) const { return sent_[static_cast<std::size_t>(index)]; }

  [[nodiscard]] const TimeEvidence& evidence(int index) const {
    return evidence_[static_cast<std::size_t>(index)];
  }

  int index_of(const Collective& collective) {
    const bool is_drawn = collective.routed.rows != RoutedRows::kNone && !routing_.empty();
    const double size = is_drawn ? collective.row_bytes.base() : collective.buffer.base();
    const Key key{collective.kind,
                  collective.group,
                  collective.ranks,
                  size,
                  is_drawn ? collective.routed.moe_layer : 0,
                  is_drawn ? collective.routed.rows : RoutedRows::kNone};
    const auto [place, is_new] = indices_.try_emplace(key, static_cast<int>(schedules_->size()));
    if (is_new) add(collective, is_drawn);
    return place->second;
  }

 private:
  /// Kind, ranks, size; of drawn rows the bytes of one, the layer and the direction.
  using Key = std::tuple<CollectiveKind, MeshGroup, std::vector<RankId>, double, int, RoutedRows>;

  void add(const Collective& collective, bool is_drawn) {
    CollectiveRequest request{.kind = collective.kind, .size = collective.buffer};
    request.groups = groups_of(collective);
    if (is_drawn)
      request.traffic.assign(
          std::max<std::size_t>(1, request.groups.size()),
          traffic_of(collective, routing_[static_cast<std::size_t>(collective.routed.moe_layer)]));
    LibraryCollective timed = library_collective(request, *topology_, system_->collectives);
    sent_.push_back(sent_by_a_rank(timed.schedule, num_ranks(*topology_)) / timed.byte_inflation);
    timed.schedule.proven_bound = lower_bound(request, *topology_, cuts_);
    const double factor = anchor_factor(system_->anchor, time_class(collective));
    evidence_.push_back(anchored(collective_evidence(timed), factor));
    if (factor != 1.0) scale_time(timed.schedule, factor);
    schedules_->push_back(std::move(timed.schedule));
  }

  /// Empty for all ranks together.
  std::vector<RankGroup> groups_of(const Collective& collective) {
    if (!collective.ranks.empty()) return {collective.ranks};
    const auto [place, is_new] = groups_.try_emplace(collective.group);
    if (is_new) {
      place->second = mesh_groups(partition_, collective.group);
      if (place->second.size() == 1 && std::ranges::is_sorted(place->second.front()))
        place->second.clear();
    }
    return place->second;
  }

  Partition partition_;
  const System* system_;
  const Topology* topology_;
  NetworkCuts cuts_;
  std::span<const LayerRows> routing_;
  std::vector<CollectiveSchedule>* schedules_;
  std::vector<Bytes> sent_;  ///< beside each schedule
  std::vector<TimeEvidence> evidence_;
  std::map<Key, int> indices_;
  std::map<MeshGroup, std::vector<RankGroup>> groups_;
};

/// Sets the longest share's duration, and how much shorter it is on the ranks of others.
/// @param share_of_rank  which of `work` a rank does
void set_durations(const std::vector<OperatorWork>& work, std::span<const int> share_of_rank,
                   Task& task) {
  const auto longest = std::ranges::max_element(work, {}, &OperatorWork::time);
  const auto shares = static_cast<double>(work.size());
  task.duration = longest->time;
  for (const OperatorWork& rank : work) {
    task.flop += rank.flop / shares;
    task.bytes += rank.bytes / shares;
  }
  if (std::ranges::all_of(work, [&](const OperatorWork& w) { return w.time == task.duration; }))
    return;
  for (const int share : share_of_rank)
    task.rank_slowdown.push_back(work[static_cast<std::size_t>(share)].time / task.duration);
}

}  // namespace

TaskGraph price_step(const StepGraph& graph, const System& system, const Topology& topology,
                     int num_microbatches, std::span<const LayerRows> routing) {
  TaskGraph priced;
  Schedules schedules{graph, system, topology, routing, priced.schedules};
  std::vector<int> share_of_rank;
  for (int rank = 0; rank < num_ranks(topology) && !routing.empty(); ++rank)
    share_of_rank.push_back(expert_place(graph.partition, RankId{rank}).expert);

  Seconds launched;
  const auto append = [&](const StepNode& node) {
    Task task;
    const std::vector<int>& waits = waits_of(node);
    const auto place = static_cast<std::int32_t>(priced.tasks.size());
    for (const int offset : waits.empty() ? std::vector<int>{1} : waits)
      if (offset <= place) task.dependencies.emplace_back(place - offset);
    if (const auto* op = std::get_if<Operator>(&node)) {
      task.name = op->name;
      task.category = class_name(op->operator_class);
      const auto layer = static_cast<std::size_t>(op->routed.moe_layer);
      if (op->routed.rows != RoutedRows::kNone && !routing.empty())
        set_durations(routed_work(*op, routing[layer], system.device), share_of_rank, task);
      else
        set_durations({operator_work(*op, system.device)}, {}, task);
      const double factor = anchor_factor(system.anchor, time_class(*op));
      task.evidence = anchored(operator_evidence(*op, system.device, routing), factor);
      task.duration = factor * task.duration;
    } else {
      const auto& collective = std::get<Collective>(node);
      task.name = collective.name;
      task.category = class_name(collective.operator_class);
      task.schedule = schedules.index_of(collective);
      task.bytes = schedules.sent(task.schedule);
      task.evidence = schedules.evidence(task.schedule);
    }
    launched += system.device.host_launch.value;
    task.launched = launched;
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
