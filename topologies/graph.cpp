#include "topologies/graph.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "topologies/shortest_paths.hpp"

namespace switchyard {
namespace {

/// The nodes and links, without paths. Precondition: they are well-formed.
Topology without_paths(const GraphSpec& spec) {
  Topology topology;
  topology.name = fmt::format("graph of {} ranks", num_ranks(spec));
  std::map<std::string, NodeId> nodes;
  for (const GraphSpec::Node& node : spec.nodes) {
    const NodeId id = nodes[node.name] = add_node(topology, node.kind, node.name);
    if (node.kind != NodeKind::kRank) continue;
    topology.ranks.push_back(id);
    topology.scale_up_domain.push_back(node.domain);
  }
  for (const GraphSpec::Link& link : spec.links) {
    const NodeId from = nodes.at(link.from);
    const NodeId to = nodes.at(link.to);
    const bool is_shared = link.duplex == Duplex::kHalf;
    const LinkId id =
        add_link(topology, from, to, link.from + (is_shared ? "--" : "->") + link.to, link.link);
    if (is_shared)
      boost::add_edge(to, from, topology.links[id.index()], topology.graph);
    else if (link.duplex == Duplex::kFull)
      add_link(topology, to, from, link.to + "->" + link.from, link.link);
  }
  return topology;
}

void check_nodes(const GraphSpec& spec, SpecProblems& found) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < spec.nodes.size(); ++i)
    if (!names.insert(spec.nodes[i].name).second)
      found.push_back({fmt::format("nodes[{}].name", i),
                       fmt::format("another node is already named \"{}\"", spec.nodes[i].name)});
  if (num_ranks(spec) == 0) found.push_back({"nodes", "expected at least one node of kind rank"});
  check_num_ranks(found, "nodes", {num_ranks(spec)});
}

void check_links(const GraphSpec& spec, SpecProblems& found) {
  std::set<std::pair<std::string, std::string>> joined;
  for (std::size_t i = 0; i < spec.links.size(); ++i) {
    const GraphSpec::Link& link = spec.links[i];
    const std::string key = fmt::format("links[{}]", i);
    const auto is_known = [&](const std::string& name, std::string_view end) {
      if (std::ranges::find(spec.nodes, name, &GraphSpec::Node::name) != spec.nodes.end()) return;
      found.push_back(
          {fmt::format("{}.{}", key, end), fmt::format("no node is named \"{}\"", name)});
    };
    is_known(link.from, "from");
    is_known(link.to, "to");
    check_link(found, key, link.link);
    if (link.from == link.to)
      found.push_back({key + ".to", fmt::format("a link from \"{0}\" to itself", link.to)});
    const bool is_new = joined.insert({link.from, link.to}).second;
    const bool reverse_is_new =
        link.duplex == Duplex::kOneWay || joined.insert({link.to, link.from}).second;
    if (link.from != link.to && (!is_new || !reverse_is_new))
      found.push_back(
          {key, fmt::format("\"{}\" and \"{}\" are linked already; write parallel cables "
                            "as one link of their bandwidth together",
                            link.from, link.to)});
  }
}

}  // namespace

int num_ranks(const GraphSpec& spec) {
  return static_cast<int>(std::ranges::count(spec.nodes, NodeKind::kRank, &GraphSpec::Node::kind));
}

SpecProblems problems(const GraphSpec& spec) {
  SpecProblems found;
  check_nodes(spec, found);
  check_links(spec, found);
  if (!found.empty()) return found;
  const Topology topology = without_paths(spec);
  const auto pair = find_disconnected(topology, ShortestPaths{topology, spec.choice});
  if (pair) {
    const auto name = [&](RankId rank) {
      return topology.graph[topology.ranks[rank.index()]].name;
    };
    found.push_back({"links", fmt::format("no path leads from rank {} (\"{}\") to rank {} (\"{}\")",
                                          pair->source.value(), name(pair->source),
                                          pair->destination.value(), name(pair->destination))});
  }
  return found;
}

Topology build_graph(const GraphSpec& spec) {
  throw_if_any("graph", problems(spec));
  Topology topology = without_paths(spec);
  topology.path_selection = [paths = std::make_shared<const ShortestPaths>(topology, spec.choice)](
                                RankId source, RankId destination, std::vector<LinkId>& links) {
    paths->append(source, destination, links);
  };
  return topology;
}

}  // namespace switchyard
