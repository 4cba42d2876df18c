#include "sim/engine/collective_result.hpp"

#include <algorithm>

#include "cost_models/collective_bounds.hpp"
#include "cost_models/collectives.hpp"
#include "sim/core/error.hpp"
#include "sim/engine/flow_set.hpp"
#include "sim/engine/round_times.hpp"

namespace switchyard {
namespace {

Bytes busiest_cable(const CollectiveSchedule& schedule, const Topology& topology) {
  const std::vector<Bytes> loads = link_loads(schedule, topology);
  Bytes busiest;
  for (const NetworkLink& link : topology.links)
    if (link.place == LinkPlace::kNetwork) busiest = std::max(busiest, loads[link.id.index()]);
  return busiest;
}

bool is_one_round(const CollectiveSchedule& schedule) {
  return schedule.rounds.size() == 1 && schedule.rounds.front().repeat == 1;
}

/// Messages that differ in size: no symmetry or classes of like flows would help.
bool is_irregular(const Round& round) {
  const auto differ = [](const Flow& a, const Flow& b) { return a.bytes != b.bytes; };
  return std::ranges::adjacent_find(round.flows, differ) != round.flows.end();
}

/// The fluid engine without its queue: the one round begins everywhere at once.
void time_one_round(const CollectiveSchedule& schedule, bool may_group, const Topology& topology,
                    CollectiveResult& result) {
  const Round& round = schedule.rounds.front();
  const bool group =
      may_group && num_messages(round, num_ranks(topology)) > kGroupedFrom && is_irregular(round);
  if (group) {
    result.method = "grouped";
    result.time = schedule.startup + grouped_times(make_flow_set(topology, round.flows)).makespan;
  } else {
    const RoundTimes times = round_times(round, topology);
    result.method = method_name(times.method);
    result.time = schedule.startup + times.makespan;
  }
}

}  // namespace

CollectiveResult simulate_collective(const CollectiveEngine& engine,
                                     const CollectiveRequest& request, const Topology& topology,
                                     const std::optional<CollectiveProfile>& library) {
  CollectiveResult result;
  LibraryCollective collective = library_collective(request, topology, library);
  result.algorithm = *find_algorithm(collective.schedule.algorithm);
  result.provenance = collective.provenance;
  result.error_band = collective.error_band;
  CollectiveSchedule& schedule = collective.schedule;
  result.bound = lower_bound(request, topology);
  result.link_load = link_load_bound(schedule, topology);
  result.busiest_link = busiest_cable(schedule, topology) / collective.byte_inflation;
  if (engine.engine == EngineKind::kFluid && is_one_round(schedule)) {
    time_one_round(schedule, engine.may_group, topology, result);
  } else {
    TaskGraph graph;
    graph.schedules.push_back(std::move(schedule));
    graph.tasks.emplace_back();
    graph.tasks.back().name = kind_name(request.kind);
    graph.tasks.back().schedule = 0;
    result.time = execute(engine.engine, graph, topology).makespan;
    if (engine.engine == EngineKind::kFluid) result.method = "events";
  }
  const Seconds at_least = std::max(result.bound, result.link_load);
  SWITCHYARD_CHECK(result.time >= (1 - 1e-9) * at_least,
                   "{} {} on {} took {} s, below its bound of {} s",
                   algorithm_name(result.algorithm), kind_name(request.kind), topology.name,
                   result.time.base(), at_least.base());
  return result;
}

BytesPerSecond algorithm_bandwidth(Bytes size, Seconds time) {
  return time > Seconds{0} ? size / time : BytesPerSecond{0};
}

BytesPerSecond bus_bandwidth(CollectiveKind kind, int group_size, Bytes size, Seconds time) {
  const double share = (group_size - 1.0) / group_size;
  switch (kind) {
    case CollectiveKind::kAllReduce:
      return 2 * share * algorithm_bandwidth(size, time);
    case CollectiveKind::kPointToPoint:
      return algorithm_bandwidth(size, time);
    case CollectiveKind::kAllToAll:
    case CollectiveKind::kAllGather:
    case CollectiveKind::kReduceScatter:
      break;
  }
  return share * algorithm_bandwidth(size, time);
}

}  // namespace switchyard
