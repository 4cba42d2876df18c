#include "topologies/fat_tree.hpp"

#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "topologies/symmetry.hpp"

namespace switchyard {
namespace {

void check_oversubscription(SpecProblems& found, std::string_view key, double ratio) {
  if (!(ratio > 0.0) || !std::isfinite(ratio))
    found.push_back({std::string{key}, fmt::format("must be positive and finite, got {}", ratio)});
}

struct FatTreePaths {
  ClosFabric fabric;
  std::vector<LinkId> up;
  std::vector<LinkId> down;
};

/// Every host to the next place at its leaf, the next leaf of its pod and the next pod.
std::optional<PathSymmetry> rotations(const FatTreeSpec& spec, const ClosFabric& fabric,
                                      const Topology& topology) {
  if (!fabric.rotates()) return std::nullopt;
  const auto moved = [&](int host_step, int leaf_step, int pod_step) {
    NodePermutation permutation = identity_permutation(topology);
    for (int rank = 0; rank < num_ranks(spec); ++rank) {
      const int place = (rank + host_step) % spec.hosts_per_leaf;
      const int leaf = rank / spec.hosts_per_leaf;
      const int in_pod = (leaf + leaf_step) % spec.leaves;
      const int pod = (leaf / spec.leaves + pod_step) % spec.pods;
      const int image = (pod * spec.leaves + in_pod) * spec.hosts_per_leaf +
                        (host_step > 0 ? place : rank % spec.hosts_per_leaf);
      permutation[topology.ranks[static_cast<std::size_t>(rank)]] =
          topology.ranks[static_cast<std::size_t>(image)];
    }
    return permutation;
  };
  std::vector<NodePermutation> generators{moved(1, 0, 0), moved(0, 1, 0), moved(0, 0, 1)};
  fabric.rotate_ways(generators[0]);
  fabric.rotate_leaves(generators[1]);
  fabric.rotate_pods(generators[2]);
  return symmetry_of(topology, generators);
}

}  // namespace

int num_ranks(const FatTreeSpec& spec) { return spec.pods * spec.leaves * spec.hosts_per_leaf; }

SpecProblems problems(const FatTreeSpec& spec) {
  SpecProblems found;
  check_count(found, "pods", spec.pods);
  check_count(found, "leaves", spec.leaves);
  check_count(found, "hosts_per_leaf", spec.hosts_per_leaf);
  check_count(found, "spines", spec.spines);
  check_num_ranks(found, "", {spec.pods, spec.leaves, spec.hosts_per_leaf});
  if (spec.pods > 1 && spec.cores_per_spine < 1)
    found.push_back(
        {"cores_per_spine", fmt::format("expected at least 1 to join the {} pods", spec.pods)});
  if (spec.pods == 1 && spec.cores_per_spine > 0)
    found.push_back({"cores_per_spine", "a single pod has no core switches above its spines"});
  check_link(found, "host_link", spec.host_link);
  check_oversubscription(found, "oversubscription", spec.oversubscription);
  check_oversubscription(found, "core_oversubscription", spec.core_oversubscription);
  return found;
}

Topology build_fat_tree(const FatTreeSpec& spec) {
  throw_if_any("fat_tree", problems(spec));
  Topology topology;
  topology.name = fmt::format("fat tree of {} hosts", num_ranks(spec));
  ClosSpec clos{.pods = spec.pods,
                .leaves = spec.leaves,
                .hosts_per_leaf = spec.hosts_per_leaf,
                .spines = spec.spines,
                .cores_per_spine = spec.cores_per_spine,
                .uplink = {},
                .core_link = {},
                .choice = spec.choice};
  clos.uplink = {uplink_bandwidth(spec.hosts_per_leaf * spec.host_link.bandwidth,
                                  spec.oversubscription, spec.spines),
                 spec.switch_latency};
  if (spec.pods > 1)
    clos.core_link = {uplink_bandwidth(spec.leaves * clos.uplink.bandwidth,
                                       spec.core_oversubscription, spec.cores_per_spine),
                      spec.switch_latency};
  std::vector<std::string> names;
  for (int leaf = 0; leaf < spec.pods * spec.leaves; ++leaf)
    names.push_back(spec.pods == 1
                        ? fmt::format("leaf{}", leaf)
                        : fmt::format("pod{}/leaf{}", leaf / spec.leaves, leaf % spec.leaves));
  auto paths = std::make_shared<FatTreePaths>(
      FatTreePaths{.fabric = ClosFabric{clos, names, topology}, .up = {}, .down = {}});
  for (int rank = 0; rank < num_ranks(spec); ++rank) {
    const NodeId node = add_node(topology, NodeKind::kRank, fmt::format("rank{}", rank));
    const NodeId leaf = paths->fabric.leaf(paths->fabric.leaf_of(rank));
    topology.ranks.push_back(node);
    topology.scale_up_domain.push_back(rank);  // no host shares more with a neighbour than a leaf
    paths->up.push_back(
        add_link(topology, node, leaf, fmt::format("rank{}:up", rank), spec.host_link));
    paths->down.push_back(
        add_link(topology, leaf, node, fmt::format("rank{}:down", rank), spec.host_link));
  }
  topology.symmetry = rotations(spec, paths->fabric, topology);
  topology.path_selection = [paths = std::shared_ptr<const FatTreePaths>{std::move(paths)}](
                                RankId source, RankId destination, std::vector<LinkId>& links) {
    links.push_back(paths->up[source.index()]);
    paths->fabric.append(source.value(), destination.value(), links);
    links.push_back(paths->down[destination.index()]);
  };
  return topology;
}

}  // namespace switchyard
