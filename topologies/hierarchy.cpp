#include "topologies/hierarchy.hpp"

#include <algorithm>
#include <utility>

#include "sim/core/error.hpp"
#include "topologies/network_spec.hpp"

namespace switchyard {
namespace {

/// Copies the nodes and links of `part`; `rank_node` makes the node that stands for a rank.
/// @return the id of its first link in `whole`.
template <class RankNode>
int add_part(const Topology& part, const std::string& prefix, const RankNode& rank_node,
             Topology& whole) {
  constexpr int kNoRank = -1;
  std::vector<int> rank_at(boost::num_vertices(part.graph), kNoRank);
  for (std::size_t rank = 0; rank < part.ranks.size(); ++rank)
    rank_at[part.ranks[rank]] = static_cast<int>(rank);
  std::vector<NodeId> image;
  for (NodeId node = 0; node < rank_at.size(); ++node) {
    const NetworkNode& old = part.graph[node];
    image.push_back(rank_at[node] == kNoRank ? add_node(whole, old.kind, prefix + old.name)
                                             : rank_node(rank_at[node]));
    whole.graph[image.back()].forwards = old.forwards;
  }
  const auto first = static_cast<int>(whole.links.size());
  std::vector<std::vector<std::pair<NodeId, NodeId>>> ends(part.links.size());
  for (const auto& edge : boost::make_iterator_range(boost::edges(part.graph)))
    ends[part.graph[edge].id.index()].push_back(
        {image[boost::source(edge, part.graph)], image[boost::target(edge, part.graph)]});
  for (const NetworkLink& link : part.links) {
    const auto& of_link = ends[link.id.index()];
    const LinkId id = add_link(whole, of_link[0].first, of_link[0].second, prefix + link.name,
                               {link.bandwidth, link.latency}, link.place);
    for (std::size_t other = 1; other < of_link.size(); ++other)  // half duplex
      boost::add_edge(of_link[other].first, of_link[other].second, whole.links[id.index()],
                      whole.graph);
  }
  return first;
}

struct HierarchyPaths {
  PathSelection inside;
  PathSelection outside;
  int ranks_inside = 1;
  int links_inside = 0;   ///< of one copy
  int first_outside = 0;  ///< id of the first link of the outside
  int first_port = 0;     ///< up and down of rank 0, of rank 1, ...

  void append(int source, int destination, std::vector<LinkId>& links) const {
    const RankId from{source / ranks_inside};
    const RankId to{destination / ranks_inside};
    const bool is_inside = from == to;
    if (!is_inside) links.emplace_back(first_port + 2 * source);
    const std::size_t begin = links.size();
    if (is_inside)
      inside(RankId{source % ranks_inside}, RankId{destination % ranks_inside}, links);
    else
      outside(from, to, links);
    const int offset = is_inside ? from.value() * links_inside : first_outside;
    for (std::size_t i = begin; i < links.size(); ++i) links[i] = LinkId{links[i].value() + offset};
    if (!is_inside) links.emplace_back(first_port + 2 * destination + 1);
  }
};

}  // namespace

int num_ranks(const HierarchySpec& spec) {
  return num_ranks(*spec.inside) * num_ranks(*spec.outside);
}

SpecProblems problems(const HierarchySpec& spec) {
  SWITCHYARD_CHECK(spec.inside && spec.outside, "a hierarchy without a part");
  SpecProblems found = below("inside", problems(*spec.inside));
  const SpecProblems outside = below("outside", problems(*spec.outside));
  found.insert(found.end(), outside.begin(), outside.end());
  check_link(found, "port", spec.port);
  if (found.empty())
    check_num_ranks(found, "", {num_ranks(*spec.outside), num_ranks(*spec.inside)});
  return found;
}

Topology build_hierarchy(const HierarchySpec& spec) {
  throw_if_any("hierarchy", problems(spec));
  const Topology inside = build_topology(*spec.inside);
  const Topology outside = build_topology(*spec.outside);
  Topology whole;
  whole.name = fmt::format("{} of {}", outside.name, inside.name);
  HierarchyPaths paths{.inside = inside.path_selection,
                       .outside = outside.path_selection,
                       .ranks_inside = num_ranks(inside),
                       .links_inside = static_cast<int>(inside.links.size())};
  const int domains =
      1 + *std::max_element(inside.scale_up_domain.begin(), inside.scale_up_domain.end());
  for (int copy = 0; copy < num_ranks(outside); ++copy) {
    whole.ranks.resize(whole.ranks.size() + inside.ranks.size());
    const auto rank_node = [&](int local) {
      const int rank = copy * paths.ranks_inside + local;
      return whole.ranks[static_cast<std::size_t>(rank)] =
                 add_node(whole, NodeKind::kRank, fmt::format("rank{}", rank));
    };
    add_part(inside, fmt::format("node{}/", copy), rank_node, whole);
    for (const int domain : inside.scale_up_domain)
      whole.scale_up_domain.push_back(copy * domains + domain);
  }
  std::vector<NodeId> gateways(outside.ranks.size());
  paths.first_outside = add_part(
      outside, "outside/",
      [&](int copy) {
        return gateways[static_cast<std::size_t>(copy)] =
                   add_node(whole, NodeKind::kRouter, fmt::format("node{}/gateway", copy));
      },
      whole);
  paths.first_port = static_cast<int>(whole.links.size());
  for (std::size_t rank = 0; rank < whole.ranks.size(); ++rank) {
    const NodeId gateway = gateways[rank / inside.ranks.size()];
    add_link(whole, whole.ranks[rank], gateway, fmt::format("rank{}:port-up", rank), spec.port);
    add_link(whole, gateway, whole.ranks[rank], fmt::format("rank{}:port-down", rank), spec.port);
  }
  whole.in_switch_reduction = inside.in_switch_reduction;
  whole.path_selection = [paths = std::move(paths)](RankId source, RankId destination,
                                                    std::vector<LinkId>& links) {
    paths.append(source.value(), destination.value(), links);
  };
  return whole;
}

}  // namespace switchyard
