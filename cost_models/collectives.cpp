#include "cost_models/collectives.hpp"

#include <algorithm>

#include "topologies/analysis.hpp"

namespace switchyard {
namespace {

/// Bytes of one repetition of `round` on each link, added to `loads`.
void add_round_loads(const Topology& topology, const Round& round, std::vector<Bytes>& loads) {
  std::vector<LinkId> links;
  for_each_message(round, num_ranks(topology), [&](const Flow& flow) {
    links.clear();
    append_path(topology, flow.source, flow.destination, links);
    for (const LinkId link : links) loads[link.index()] += flow.bytes;
  });
}

}  // namespace

std::vector<Bytes> link_loads(const CollectiveSchedule& schedule, const Topology& topology) {
  std::vector<Bytes> total(topology.links.size());
  for (const Round& round : schedule.rounds) {
    std::vector<Bytes> loads(topology.links.size());
    add_round_loads(topology, round, loads);
    for (std::size_t link = 0; link < total.size(); ++link)
      total[link] += round.repeat * loads[link];
  }
  return total;
}

Seconds schedule_time(const CollectiveSchedule& schedule, const Topology& topology) {
  if (num_rounds(schedule) == 0) return Seconds{0};
  Seconds total = schedule.startup;
  std::vector<Bytes> loads(topology.links.size());
  for (const Round& round : schedule.rounds) {
    std::ranges::fill(loads, Bytes{0});
    add_round_loads(topology, round, loads);
    Seconds latency;
    for_each_message(round, num_ranks(topology), [&](const Flow& flow) {
      latency = std::max(latency, path_latency(topology, flow.source, flow.destination));
    });
    total += round.repeat * (latency + bottleneck_time(topology, loads));
  }
  return total;
}

Seconds link_load_bound(const CollectiveSchedule& schedule, const Topology& topology) {
  return bottleneck_time(topology, link_loads(schedule, topology));
}

}  // namespace switchyard
