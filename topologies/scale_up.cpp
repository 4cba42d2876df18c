#include "topologies/scale_up.hpp"

#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "topologies/symmetry.hpp"

namespace switchyard {
namespace {

/// Rank r becomes rank r + 1.
std::optional<PathSymmetry> rotations(const Topology& topology) {
  std::array<NodePermutation, 1> generators{identity_permutation(topology)};
  const std::size_t ranks = topology.ranks.size();
  for (std::size_t rank = 0; rank < ranks; ++rank)
    generators[0][topology.ranks[rank]] = topology.ranks[(rank + 1) % ranks];
  return symmetry_of(topology, generators);
}

}  // namespace

int num_ranks(const ScaleUpSpec& spec) { return spec.num_ranks; }

SpecProblems problems(const ScaleUpSpec& spec) {
  SpecProblems found;
  check_count(found, "ranks", spec.num_ranks);
  check_num_ranks(found, "ranks", {spec.num_ranks});
  check_link(found, "port", spec.port);
  return found;
}

Topology build_scale_up(const ScaleUpSpec& spec) {
  throw_if_any("scale_up", problems(spec));
  Topology topology;
  topology.name = fmt::format("scale-up domain of {}", spec.num_ranks);
  const NodeId nvswitch = add_node(topology, NodeKind::kRouter, "switch");
  struct Ports {
    std::vector<LinkId> up;
    std::vector<LinkId> down;
  };
  auto ports = std::make_shared<Ports>();
  for (int rank = 0; rank < spec.num_ranks; ++rank) {
    const NodeId node = add_node(topology, NodeKind::kRank, fmt::format("rank{}", rank));
    topology.ranks.push_back(node);
    ports->up.push_back(
        add_link(topology, node, nvswitch, fmt::format("rank{}:up", rank), spec.port));
    ports->down.push_back(
        add_link(topology, nvswitch, node, fmt::format("rank{}:down", rank), spec.port));
  }
  topology.scale_up_domain.assign(topology.ranks.size(), 0);
  topology.in_switch_reduction = spec.in_switch_reduction;
  topology.symmetry = rotations(topology);
  topology.path_selection = [ports = std::shared_ptr<const Ports>{std::move(ports)}](
                                RankId source, RankId destination, std::vector<LinkId>& links) {
    links.push_back(ports->up[source.index()]);
    links.push_back(ports->down[destination.index()]);
  };
  return topology;
}

int num_ranks(const FullyConnectedSpec& spec) { return spec.num_ranks; }

SpecProblems problems(const FullyConnectedSpec& spec) {
  constexpr int kMost = 512;  // n (n - 1) links: a quarter of a million
  SpecProblems found;
  check_count(found, "ranks", spec.num_ranks);
  if (spec.num_ranks > kMost)
    found.push_back({"ranks", fmt::format("a fully connected network has at most {} ranks, got {}",
                                          kMost, spec.num_ranks)});
  if (spec.num_ranks > 1) check_link(found, "link", spec.link);
  return found;
}

Topology build_fully_connected(const FullyConnectedSpec& spec) {
  throw_if_any("fully_connected", problems(spec));
  Topology topology;
  topology.name = fmt::format("{} fully connected", spec.num_ranks);
  for (int rank = 0; rank < spec.num_ranks; ++rank)
    topology.ranks.push_back(add_node(topology, NodeKind::kRank, fmt::format("rank{}", rank)));
  for (int from = 0; from < spec.num_ranks; ++from)
    for (int to = 0; to < spec.num_ranks; ++to)
      if (from != to)
        add_link(topology, topology.ranks[static_cast<std::size_t>(from)],
                 topology.ranks[static_cast<std::size_t>(to)],
                 fmt::format("rank{}->rank{}", from, to), spec.link);
  topology.scale_up_domain.assign(topology.ranks.size(), 0);
  topology.symmetry = rotations(topology);
  // The links of a sender lie together, in the order of receivers, itself left out.
  topology.path_selection = [others = spec.num_ranks - 1](RankId source, RankId destination,
                                                          std::vector<LinkId>& links) {
    const int from = source.value();
    const int to = destination.value();
    links.emplace_back(from * others + (to < from ? to : to - 1));
  };
  return topology;
}

}  // namespace switchyard
