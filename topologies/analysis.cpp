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

}  // namespace

void add_link_loads(const Topology& topology, std::span<const Flow> flows,
                    std::vector<Bytes>& loads) {
  SWITCHYARD_CHECK(loads.size() == topology.links.size(), "{} loads for {} links", loads.size(),
                   topology.links.size());
  for (const Flow& flow : flows) {
    if (!crosses_network(flow)) continue;
    for (const LinkId link : path(topology, flow.source, flow.destination))
      loads[link.index()] += flow.bytes;
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
  for (const auto& links : topology.paths) longest = std::max(longest, num_hops(links, hops));
  return longest;
}

double average_hops(const Topology& topology) {
  const std::vector<int> hops = router_hops(topology);
  std::int64_t sum = 0;
  for (const auto& links : topology.paths) sum += num_hops(links, hops);
  const double ranks = num_ranks(topology);
  return ranks > 1 ? static_cast<double>(sum) / (ranks * (ranks - 1)) : 0.0;
}

BytesPerSecond bisection_bandwidth(const TorusSpec& spec) {
  if (num_routers(spec) == 1) return BytesPerSecond{0};
  const double cables_per_ring = spec.wrap ? 2.0 : 1.0;
  return std::min(spec.width, spec.height) * cables_per_ring * spec.link.bandwidth;
}

Seconds uniform_all_to_all_bound(const Topology& topology, Bytes bytes_per_pair) {
  std::vector<Bytes> loads(topology.links.size());
  for (const auto& links : topology.paths)
    for (const LinkId link : links) loads[link.index()] += bytes_per_pair;
  return bottleneck_time(topology, loads);
}

}  // namespace switchyard
