#include "topologies/analysis.hpp"

#include <algorithm>
#include <cstdint>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// For each link, 1 when it joins two routers, 0 when one end is a rank.
std::vector<int> router_hops(const Topology& topology) {
  std::vector<int> hops(topology.links.size(), 0);
  const auto is_router = [&](NodeId node) {
    return topology.graph[node].kind == NodeKind::kRouter;
  };
  for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph))) {
    const bool between_routers = is_router(boost::source(edge, topology.graph)) &&
                                 is_router(boost::target(edge, topology.graph));
    hops[topology.graph[edge].id.index()] = between_routers ? 1 : 0;
  }
  return hops;
}

int num_hops(const std::vector<LinkId>& links, const std::vector<int>& hops) {
  int sum = 0;
  for (const LinkId link : links) sum += hops[link.index()];
  return sum;
}

/// Calls `visit` with the path of each ordered pair of distinct ranks.
template <class Visit>
void for_each_path(const Topology& topology, const Visit& visit) {
  const auto ranks = static_cast<std::int32_t>(num_ranks(topology));
  std::vector<LinkId> links;
  for (std::int32_t source = 0; source < ranks; ++source) {
    for (std::int32_t destination = 0; destination < ranks; ++destination) {
      if (source == destination) continue;
      links.clear();
      append_path(topology, RankId{source}, RankId{destination}, links);
      visit(links);
    }
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

int diameter(const Topology& topology) {
  const std::vector<int> hops = router_hops(topology);
  int longest = 0;
  for_each_path(topology, [&](const std::vector<LinkId>& links) {
    longest = std::max(longest, num_hops(links, hops));
  });
  return longest;
}

double average_hops(const Topology& topology) {
  const std::vector<int> hops = router_hops(topology);
  std::int64_t sum = 0;
  for_each_path(topology, [&](const std::vector<LinkId>& links) { sum += num_hops(links, hops); });
  const double ranks = num_ranks(topology);
  return ranks > 1 ? static_cast<double>(sum) / (ranks * (ranks - 1)) : 0.0;
}

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

Seconds uniform_all_to_all_bound(const Topology& topology, Bytes bytes_per_pair) {
  std::vector<Bytes> loads(topology.links.size());
  for_each_path(topology, [&](const std::vector<LinkId>& links) {
    for (const LinkId link : links) loads[link.index()] += bytes_per_pair;
  });
  return bottleneck_time(topology, loads);
}

}  // namespace switchyard
