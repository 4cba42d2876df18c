#include <algorithm>
#include <map>

#include "cost_models/collectives.hpp"
#include "cost_models/compute.hpp"
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

/// Collectives of equal kind and size share one schedule.
class Schedules {
 public:
  Schedules(const Topology& topology, std::vector<CollectiveSchedule>& schedules)
      : topology_{&topology}, schedules_{&schedules} {}

  /// What a rank sends in the schedule of that index.
  [[nodiscard]] Bytes sent(int index) const { return sent_[static_cast<std::size_t>(index)]; }

  int index_of(const Collective& collective) {
    const auto [place, is_new] = indices_.try_emplace({collective.kind, collective.buffer.base()},
                                                      static_cast<int>(schedules_->size()));
    if (is_new) {
      const CollectiveRequest request{.kind = collective.kind, .size = collective.buffer};
      schedules_->push_back(build_collective(request, *topology_));
      schedules_->back().proven_bound = lower_bound(request, *topology_);
      sent_.push_back(sent_by_a_rank(schedules_->back(), num_ranks(*topology_)));
    }
    return place->second;
  }

 private:
  const Topology* topology_;
  std::vector<CollectiveSchedule>* schedules_;
  std::vector<Bytes> sent_;  ///< beside each schedule
  std::map<std::pair<CollectiveKind, double>, int> indices_;
};

}  // namespace

TaskGraph price_step(const StepGraph& graph, const System& system, const Topology& topology,
                     int num_microbatches) {
  TaskGraph priced;
  Schedules schedules{topology, priced.schedules};

  const auto append = [&](const StepNode& node) {
    Task task;
    if (!priced.tasks.empty())
      task.dependencies.emplace_back(static_cast<std::int32_t>(priced.tasks.size()) - 1);
    if (const auto* op = std::get_if<Operator>(&node)) {
      task.name = op->name;
      task.category = class_name(op->operator_class);
      task.duration = operator_time(*op, system.device);
      task.flop = matmul_flop(op->matmul);
      task.bytes = memory_traffic(*op, system.device.memory_tile);
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
