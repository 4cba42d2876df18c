#include "cost_models/collectives.hpp"

#include <algorithm>

#include "topologies/analysis.hpp"

namespace switchyard {
namespace {

/// Bytes that all pairs put on each link, where one source of each orbit tells those of all: an
/// orbit of links shares evenly what all its sources put on it.
void add_symmetric_loads(const Topology& topology, Bytes bytes, std::vector<Bytes>& loads) {
  const PathSymmetry& symmetry = *topology.symmetry;
  const int orbits = 1 + std::ranges::max(symmetry.link_orbit);
  std::vector<double> crossings(static_cast<std::size_t>(orbits));
  std::vector<double> members(static_cast<std::size_t>(orbits));
  for (const int orbit : symmetry.link_orbit) ++members[static_cast<std::size_t>(orbit)];
  std::vector<LinkId> links;
  for (const RankId source : symmetry.representatives) {
    for (std::int32_t destination = 0; destination < num_ranks(topology); ++destination) {
      links.clear();
      append_path(topology, source, RankId{destination}, links);
      for (const LinkId link : links)
        ++crossings[static_cast<std::size_t>(symmetry.link_orbit[link.index()])];
    }
  }
  for (std::size_t link = 0; link < loads.size(); ++link) {
    const auto orbit = static_cast<std::size_t>(symmetry.link_orbit[link]);
    loads[link] += symmetry.orbit_size * crossings[orbit] / members[orbit] * bytes;
  }
}

/// Bytes of one repetition of `round` on each link, added to `loads`.
void add_round_loads(const Topology& topology, const Round& round, std::vector<Bytes>& loads) {
  if (round.all_pairs && topology.symmetry) {
    add_symmetric_loads(topology, round.all_pairs->bytes, loads);
    return;
  }
  std::vector<LinkId> links;
  for_each_message(round, num_ranks(topology), [&](const Flow& flow) {
    links.clear();
    append_path(topology, flow.source, flow.destination, links);
    for (const LinkId link : links) loads[link.index()] += flow.bytes;
  });
}

}  // namespace

Seconds longest_latency(const Round& round, const Topology& topology) {
  Seconds longest;
  std::vector<LinkId> links;
  const auto visit = [&](RankId source, RankId destination) {
    links.clear();
    append_path(topology, source, destination, links);
    Seconds latency;
    for (const LinkId link : links) latency += topology.links[link.index()].latency;
    longest = std::max(longest, latency);
  };
  if (round.all_pairs && topology.symmetry) {
    for (const RankId source : topology.symmetry->representatives)
      for (std::int32_t rank = 0; rank < num_ranks(topology); ++rank) visit(source, RankId{rank});
  } else {
    for_each_message(round, num_ranks(topology),
                     [&](const Flow& flow) { visit(flow.source, flow.destination); });
  }
  return longest;
}

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
    const Seconds latency = longest_latency(round, topology);
    total += round.repeat * (latency + bottleneck_time(topology, loads));
  }
  return total;
}

Seconds link_load_bound(const CollectiveSchedule& schedule, const Topology& topology) {
  return bottleneck_time(topology, link_loads(schedule, topology));
}

}  // namespace switchyard
