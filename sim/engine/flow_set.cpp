#include "sim/engine/flow_set.hpp"

#include <algorithm>
#include <limits>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// For each link, whether it can carry all its flows at the rate of the slowest link on their paths
/// even when they are alone there.
std::vector<char> never_binds(const FlowSet& set) {
  std::vector<double> wanted(set.capacity.size(), 0.0);
  for (std::size_t flow = 0; flow < num_flows(set); ++flow) {
    double slowest = std::numeric_limits<double>::infinity();
    for (const LinkId link : links_of(set, flow))
      slowest = std::min(slowest, set.capacity[link.index()].base());
    for (const LinkId link : links_of(set, flow))
      wanted[link.index()] += set.capacity[link.index()].base() > slowest
                                  ? slowest
                                  : std::numeric_limits<double>::infinity();
  }
  std::vector<char> never(wanted.size());
  for (std::size_t link = 0; link < never.size(); ++link)
    never[link] = wanted[link] <= set.capacity[link].base() ? 1 : 0;
  return never;
}

void drop_links(FlowSet& set, const std::vector<char>& dropped) {
  std::uint32_t kept = 0;
  std::uint32_t read = 0;
  for (std::size_t flow = 0; flow < num_flows(set); ++flow) {
    for (const std::uint32_t end = set.first_link[flow + 1]; read < end; ++read)
      if (dropped[set.links[read].index()] == 0) set.links[kept++] = set.links[read];
    set.first_link[flow + 1] = kept;
  }
  set.links.resize(kept);
}

}  // namespace

FlowSet make_flow_set(const Topology& topology, std::span<const Flow> flows) {
  FlowSet set;
  for (const NetworkLink& link : topology.links) set.capacity.push_back(link.bandwidth);
  set.bytes.reserve(flows.size());
  set.first_link.reserve(flows.size() + 1);
  std::vector<Seconds> start;
  bool has_latency = false;
  for (const Flow& flow : flows) {
    if (!crosses_network(flow)) continue;
    // Growing in steps would copy and hold twice the paths; pages that stay untouched cost nothing.
    if (num_flows(set) == 1024) set.links.reserve(set.links.size() * flows.size() / 512);
    append_path(topology, flow.source, flow.destination, set.links);
    SWITCHYARD_CHECK(set.links.size() <= std::numeric_limits<std::uint32_t>::max(),
                     "paths of {} flows have {} links", flows.size(), set.links.size());
    Seconds latency;
    for (std::size_t k = set.first_link.back(); k < set.links.size(); ++k)
      latency += topology.links[set.links[k].index()].latency;
    has_latency = has_latency || latency > Seconds{};
    start.push_back(latency);
    set.first_link.push_back(static_cast<std::uint32_t>(set.links.size()));
    set.bytes.push_back(flow.bytes);
  }
  if (has_latency) set.start = std::move(start);
  drop_links(set, never_binds(set));
  return set;
}

Seconds link_load_bound(const FlowSet& set) {
  std::vector<Bytes> loads(set.capacity.size());
  for (std::size_t flow = 0; flow < num_flows(set); ++flow)
    for (const LinkId link : links_of(set, flow)) loads[link.index()] += set.bytes[flow];
  Seconds bound;
  for (std::size_t link = 0; link < loads.size(); ++link)
    bound = std::max(bound, loads[link] / set.capacity[link]);
  return bound;
}

}  // namespace switchyard
