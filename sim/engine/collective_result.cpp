#include "sim/engine/collective_result.hpp"

#include <algorithm>

#include "cost_models/collective_bounds.hpp"
#include "cost_models/collectives.hpp"

namespace switchyard {
namespace {

Bytes busiest_cable(const CollectiveSchedule& schedule, const Topology& topology) {
  const std::vector<Bytes> loads = link_loads(schedule, topology);
  Bytes busiest;
  for (const NetworkLink& link : topology.links)
    if (link.place == LinkPlace::kNetwork) busiest = std::max(busiest, loads[link.id.index()]);
  return busiest;
}

}  // namespace

CollectiveResult simulate_collective(EngineKind engine, const CollectiveRequest& request,
                                     const Topology& topology,
                                     const std::optional<CollectiveProfile>& library) {
  CollectiveResult result;
  result.algorithm = chosen_algorithm(request, topology);
  LibraryCollective collective = library_collective(request, topology, library);
  result.provenance = collective.provenance;
  result.error_band = collective.error_band;
  TaskGraph graph;
  graph.schedules.push_back(std::move(collective.schedule));
  graph.tasks.emplace_back();
  graph.tasks.back().name = kind_name(request.kind);
  graph.tasks.back().schedule = 0;
  const Timeline timeline = execute(engine, graph, topology);
  result.time = timeline.makespan;
  result.bound = lower_bound(request, topology);
  result.link_load = link_load_bound(graph.schedules.front(), topology);
  result.busiest_link = busiest_cable(graph.schedules.front(), topology);
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
