#include "topologies/analysis.hpp"

#include <algorithm>
#include <cstdint>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// Calls `visit` with the path of each ordered pair of distinct ranks, of one sender of each orbit
/// where there is a symmetry: the others' paths are the same but for the names of links.
template <class Visit>
void for_each_path(const Topology& topology, const Visit& visit) {
  const auto ranks = static_cast<std::int32_t>(num_ranks(topology));
  std::vector<LinkId> links;
  const auto visit_paths_from = [&](RankId source) {
    for (std::int32_t destination = 0; destination < ranks; ++destination) {
      if (source.value() == destination) continue;
      links.clear();
      append_path(topology, source, RankId{destination}, links);
      visit(links);
    }
  };
  if (topology.symmetry) {
    for (const RankId source : topology.symmetry->representatives) visit_paths_from(source);
  } else {
    for (std::int32_t source = 0; source < ranks; ++source) visit_paths_from(RankId{source});
  }
}

/// Each link's share of what the senders of one orbit each put on its own orbit.
void spread_over_orbits(const PathSymmetry& symmetry, std::vector<std::int64_t>& messages) {
  const auto orbits = static_cast<std::size_t>(
      1 + *std::max_element(symmetry.link_orbit.begin(), symmetry.link_orbit.end()));
  std::vector<std::int64_t> sum(orbits, 0);
  std::vector<std::int64_t> size(orbits, 0);
  for (std::size_t link = 0; link < messages.size(); ++link) {
    const auto orbit = static_cast<std::size_t>(symmetry.link_orbit[link]);
    sum[orbit] += messages[link];
    ++size[orbit];
  }
  for (std::size_t link = 0; link < messages.size(); ++link) {
    const auto orbit = static_cast<std::size_t>(symmetry.link_orbit[link]);
    messages[link] = sum[orbit] * symmetry.orbit_size / size[orbit];
  }
}

}  // namespace

void add_link_loads(const Topology& topology, std::span<const Flow> flows,
                    std::vector<Bytes>& loads) {
  SWITCHYARD_CHECK(loads.size() == topology.links.size(), "{} loads for {} links", loads.size(),
                   topology.links.size());
  std::vector<LinkId> links;
  for (const Flow& flow : flows) {
    if (!crosses_network(flow)) continue;
    links.clear();
    append_path(topology, flow.source, flow.destination, links);
    for (const LinkId link : links) loads[link.index()] += flow.bytes;
  }
}

std::vector<Bytes> link_loads(const Topology& topology, std::span<const Flow> flows) {
  std::vector<Bytes> loads(topology.links.size());
  add_link_loads(topology, flows, loads);
  return loads;
}

Seconds bottleneck_time(const Topology& topology, std::span<const Bytes> loads) {
  SWITCHYARD_CHECK(loads.size() == topology.links.size(), "{} loads for {} links", loads.size(),
                   topology.links.size());
  Seconds longest;
  for (const NetworkLink& link : topology.links)
    longest = std::max(longest, loads[link.id.index()] / link.bandwidth);
  return longest;
}

PathStatistics path_statistics(const Topology& topology) {
  PathStatistics statistics;
  statistics.messages.assign(topology.links.size(), 0);
  std::vector<int> is_hop;
  for (const NetworkLink& link : topology.links)
    is_hop.push_back(link.place == LinkPlace::kNetwork ? 1 : 0);
  std::int64_t hops = 0;
  std::int64_t paths = 0;
  for_each_path(topology, [&](const std::vector<LinkId>& links) {
    int length = 0;
    for (const LinkId link : links) {
      length += is_hop[link.index()];
      ++statistics.messages[link.index()];
    }
    statistics.diameter = std::max(statistics.diameter, length);
    hops += length;
    ++paths;
  });
  if (paths > 0) statistics.average_hops = static_cast<double>(hops) / static_cast<double>(paths);
  if (topology.symmetry) spread_over_orbits(*topology.symmetry, statistics.messages);
  return statistics;
}

int diameter(const Topology& topology) { return path_statistics(topology).diameter; }

double average_hops(const Topology& topology) { return path_statistics(topology).average_hops; }

BytesPerSecond bisection_bandwidth(const TorusSpec& spec) {
  BytesPerSecond narrowest{0};
  for (const TorusDimension& dimension : spec.dimensions) {
    if (dimension.length == 1) continue;
    const double rings = num_routers(spec) / dimension.length;
    const BytesPerSecond cut = rings * (dimension.wrap ? 2.0 : 1.0) * dimension.link.bandwidth;
    if (narrowest == BytesPerSecond{0} || cut < narrowest) narrowest = cut;
  }
  return narrowest;
}

std::optional<LinkId> busiest_link(const Topology& topology, const PathStatistics& statistics) {
  std::optional<LinkId> busiest;
  Seconds longest;
  for (const NetworkLink& link : topology.links) {
    const auto messages = static_cast<double>(statistics.messages[link.id.index()]);
    const Seconds busy = messages * (Bytes{1} / link.bandwidth);
    if (link.place == LinkPlace::kOnChip || busy <= longest) continue;
    longest = busy;
    busiest = link.id;
  }
  return busiest;
}

Seconds uniform_all_to_all_bound(const Topology& topology, Bytes bytes_per_pair) {
  const PathStatistics statistics = path_statistics(topology);
  std::vector<Bytes> loads;
  for (const std::int64_t messages : statistics.messages)
    loads.push_back(static_cast<double>(messages) * bytes_per_pair);
  return bottleneck_time(topology, loads);
}

}  // namespace switchyard
