#include "topologies/topology.hpp"

#include <utility>

#include "sim/core/error.hpp"

namespace switchyard {

NodeId add_node(Topology& topology, NodeKind kind, std::string name) {
  const NodeId node = boost::add_vertex(topology.graph);
  topology.graph[node] = {.kind = kind, .name = std::move(name), .forwards = true};
  return node;
}

LinkId add_link(Topology& topology, NodeId from, NodeId to, std::string name, const LinkSpec& spec,
                LinkPlace place) {
  const LinkId id{static_cast<std::int32_t>(topology.links.size())};
  topology.links.push_back({id, std::move(name), spec.bandwidth, spec.latency, place});
  boost::add_edge(from, to, topology.links.back(), topology.graph);
  return id;
}

int num_ranks(const Topology& topology) { return static_cast<int>(topology.ranks.size()); }

void append_path(const Topology& topology, RankId source, RankId destination,
                 std::vector<LinkId>& links) {
  const std::size_t ranks = topology.ranks.size();
  SWITCHYARD_CHECK(source.value() >= 0 && source.index() < ranks && destination.value() >= 0 &&
                       destination.index() < ranks,
                   "path from rank {} to rank {} in {} with {} ranks", source.value(),
                   destination.value(), topology.name, ranks);
  if (source != destination) topology.path_selection(source, destination, links);
}

std::vector<LinkId> path(const Topology& topology, RankId source, RankId destination) {
  std::vector<LinkId> links;
  append_path(topology, source, destination, links);
  return links;
}

Seconds path_latency(const Topology& topology, RankId source, RankId destination) {
  Seconds sum;
  for (const LinkId link : path(topology, source, destination))
    sum += topology.links[link.index()].latency;
  return sum;
}

}  // namespace switchyard
