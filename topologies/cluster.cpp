#include "topologies/cluster.hpp"

#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "topologies/symmetry.hpp"

namespace switchyard {
namespace {

struct PortPair {
  LinkId up;
  LinkId down;
};

/// Where ranks, NICs and leaves stand, and the links between them. Immutable once built.
class ClusterPaths {
 public:
  ClusterPaths(const ClusterSpec& spec, ClosFabric fabric)
      : gpus_{spec.node.num_ranks},
        nics_{spec.nics_per_node},
        nodes_per_leaf_{spec.nodes / spec.fabric.leaves},
        is_rail_optimised_{spec.rails == Rails::kOptimised},
        forwards_{is_rail_optimised_ && spec.nvlink_forwarding},
        leaves_per_rail_{spec.fabric.leaves},
        fabric_{std::move(fabric)} {}

  [[nodiscard]] int node_of(int rank) const { return rank / gpus_; }
  [[nodiscard]] int rail_of(int rank) const { return rank % gpus_ / (gpus_ / nics_); }
  [[nodiscard]] const ClosFabric& fabric() const { return fabric_; }

  /// The number of a NIC among the hosts of the fabric, which go leaf by leaf.
  [[nodiscard]] int host(int node, int rail) const {
    if (!is_rail_optimised_) return node * nics_ + rail;
    return (rail * leaves_per_rail_) * nodes_per_leaf_ + node;
  }

  void append(int source, int destination, std::vector<LinkId>& links) const {
    const int from = node_of(source);
    const int to = node_of(destination);
    if (from == to) {
      over_nvlink(source, destination, links);
      return;
    }
    int sender = source;
    if (forwards_ && rail_of(source) != rail_of(destination)) {
      sender = from * gpus_ + destination % gpus_;
      over_nvlink(source, sender, links);
    }
    const int out = rail_of(sender);
    const int in = rail_of(destination);
    links.push_back(to_nic[static_cast<std::size_t>(sender)].up);
    links.push_back(cable[static_cast<std::size_t>(from * nics_ + out)].up);
    fabric_.append(host(from, out), host(to, in), links);
    links.push_back(cable[static_cast<std::size_t>(to * nics_ + in)].down);
    links.push_back(to_nic[static_cast<std::size_t>(destination)].down);
  }

  std::vector<PortPair> nvlink;  ///< by rank
  std::vector<PortPair> to_nic;  ///< by rank
  std::vector<PortPair> cable;   ///< by node and NIC

 private:
  void over_nvlink(int source, int destination, std::vector<LinkId>& links) const {
    links.push_back(nvlink[static_cast<std::size_t>(source)].up);
    links.push_back(nvlink[static_cast<std::size_t>(destination)].down);
  }

  int gpus_;
  int nics_;
  int nodes_per_leaf_;
  bool is_rail_optimised_;
  bool forwards_;
  int leaves_per_rail_;
  ClosFabric fabric_;
};

struct Vertices {
  std::vector<NodeId> switches;  ///< by node
  std::vector<NodeId> nics;      ///< by node and NIC
};

/// A move of nodes, GPUs and, by the caller, switches of the fabric.
struct Move {
  int within_leaf = 0;  ///< nodes, along the nodes of their leaf
  int leaves = 0;       ///< nodes, to the same place at the next leaf
  int rails = 0;        ///< GPUs, by as many as share a NIC
};

NodePermutation moved(const ClusterSpec& spec, const Topology& topology, const Vertices& vertices,
                      const Move& move) {
  NodePermutation image = identity_permutation(topology);
  const int per_leaf = spec.nodes / spec.fabric.leaves;
  const int gpus = spec.node.num_ranks;
  const int nics = spec.nics_per_node;
  const auto at = [](const std::vector<NodeId>& nodes, int i) {
    return nodes[static_cast<std::size_t>(i)];
  };
  for (int node = 0; node < spec.nodes; ++node) {
    const int to = (node / per_leaf + move.leaves) % spec.fabric.leaves * per_leaf +
                   (node % per_leaf + move.within_leaf) % per_leaf;
    image[at(vertices.switches, node)] = at(vertices.switches, to);
    for (int n = 0; n < nics; ++n)
      image[at(vertices.nics, node * nics + n)] =
          at(vertices.nics, to * nics + (n + move.rails) % nics);
    for (int g = 0; g < gpus; ++g)
      image[at(topology.ranks, node * gpus + g)] =
          at(topology.ranks, to * gpus + (g + move.rails * (gpus / nics)) % gpus);
  }
  return image;
}

/// With optimised rails a host's place at its leaf is its node's, so moving nodes along the leaf
/// turns the ways; otherwise it is the NIC's too, and moves are symmetries without spines only.
std::optional<PathSymmetry> rotations(const ClusterSpec& spec, const ClusterPaths& paths,
                                      const Topology& topology, const Vertices& vertices) {
  const ClosFabric& fabric = paths.fabric();
  const bool is_rail_optimised = spec.rails == Rails::kOptimised;
  if (!fabric.rotates() || (!is_rail_optimised && spec.fabric.spines > 0)) return std::nullopt;
  std::vector<NodePermutation> generators{moved(spec, topology, vertices, {.within_leaf = 1}),
                                          moved(spec, topology, vertices, {.leaves = 1}),
                                          moved(spec, topology, vertices, {.rails = 1})};
  fabric.rotate_ways(generators[0]);
  if (is_rail_optimised) {
    const int leaves = spec.fabric.leaves;
    for (int leaf = 0; leaf < num_leaves(spec); ++leaf) {
      generators[1][fabric.leaf(leaf)] = fabric.leaf(leaf / leaves * leaves + (leaf + 1) % leaves);
      generators[2][fabric.leaf(leaf)] = fabric.leaf((leaf + leaves) % num_leaves(spec));
    }
  } else {
    fabric.rotate_leaves(generators[1]);
  }
  return symmetry_of(topology, generators);
}

ClosFabric build_fabric(const ClusterSpec& spec, Topology& topology) {
  const ClusterFabricSpec& fabric = spec.fabric;
  const bool is_rail_optimised = spec.rails == Rails::kOptimised;
  const int nics_per_leaf =
      spec.nodes / fabric.leaves * (is_rail_optimised ? 1 : spec.nics_per_node);
  ClosSpec clos{.pods = 1,
                .leaves = num_leaves(spec),
                .hosts_per_leaf = nics_per_leaf,
                .spines = fabric.spines,
                .cores_per_spine = 0,
                .uplink = {},
                .core_link = {},
                .choice = fabric.choice};
  if (fabric.spines > 0)
    clos.uplink = {uplink_bandwidth(nics_per_leaf * spec.nic.bandwidth, fabric.oversubscription,
                                    fabric.spines),
                   fabric.latency};
  std::vector<std::string> names;
  for (int leaf = 0; leaf < num_leaves(spec); ++leaf)
    names.push_back(is_rail_optimised
                        ? fmt::format("rail{}/leaf{}", leaf / fabric.leaves, leaf % fabric.leaves)
                        : fmt::format("leaf{}", leaf));
  return {clos, names, topology};
}

void add_node_of_gpus(const ClusterSpec& spec, int node, ClusterPaths& paths, Vertices& vertices,
                      Topology& topology) {
  const NodeId nvswitch = add_node(topology, NodeKind::kRouter, fmt::format("node{}/switch", node));
  vertices.switches.push_back(nvswitch);
  for (int n = 0; n < spec.nics_per_node; ++n) {
    const std::string name = fmt::format("node{}/nic{}", node, n);
    const NodeId nic = add_node(topology, NodeKind::kRouter, name);
    const NodeId leaf = paths.fabric().leaf(paths.fabric().leaf_of(paths.host(node, n)));
    vertices.nics.push_back(nic);
    const LinkId up = add_link(topology, nic, leaf, name + ":up", spec.nic);
    paths.cable.push_back({up, add_link(topology, leaf, nic, name + ":down", spec.nic)});
  }
  for (int g = 0; g < spec.node.num_ranks; ++g) {
    const int rank = node * spec.node.num_ranks + g;
    const std::string name = fmt::format("rank{}", rank);
    const NodeId gpu = add_node(topology, NodeKind::kRank, name);
    topology.graph[gpu].forwards = spec.rails == Rails::kOptimised && spec.nvlink_forwarding;
    topology.ranks.push_back(gpu);
    topology.scale_up_domain.push_back(node);
    const LinkId up = add_link(topology, gpu, nvswitch, name + ":nvlink-up", spec.node.port);
    paths.nvlink.push_back(
        {up, add_link(topology, nvswitch, gpu, name + ":nvlink-down", spec.node.port)});
    const NodeId nic =
        vertices.nics[static_cast<std::size_t>(node * spec.nics_per_node + paths.rail_of(rank))];
    const LinkId out =
        add_link(topology, gpu, nic, name + ":nic-up", spec.gpu_to_nic, LinkPlace::kOnChip);
    paths.to_nic.push_back({out, add_link(topology, nic, gpu, name + ":nic-down", spec.gpu_to_nic,
                                          LinkPlace::kOnChip)});
  }
}

}  // namespace

int num_ranks(const ClusterSpec& spec) { return spec.nodes * spec.node.num_ranks; }

int num_leaves(const ClusterSpec& spec) {
  return spec.fabric.leaves * (spec.rails == Rails::kOptimised ? spec.nics_per_node : 1);
}

SpecProblems problems(const ClusterSpec& spec) {
  SpecProblems found = below("node", problems(spec.node));
  check_count(found, "nodes", spec.nodes);
  check_num_ranks(found, "", {spec.nodes, spec.node.num_ranks});
  check_count(found, "nics_per_node", spec.nics_per_node);
  check_count(found, "fabric.leaves", spec.fabric.leaves);
  check_count(found, "fabric.spines", spec.fabric.spines, 0);
  check_link(found, "nic", spec.nic);
  check_link(found, "gpu_to_nic", spec.gpu_to_nic);
  if (!(spec.fabric.oversubscription > 0.0) || !std::isfinite(spec.fabric.oversubscription))
    found.push_back({"fabric.oversubscription", fmt::format("must be positive and finite, got {}",
                                                            spec.fabric.oversubscription)});
  if (!found.empty()) return found;  // the counts below divide by these
  if (spec.node.num_ranks % spec.nics_per_node != 0)
    found.push_back(
        {"nics_per_node", fmt::format("expected a divisor of the node's {} ranks, got {}",
                                      spec.node.num_ranks, spec.nics_per_node)});
  if (spec.nodes % spec.fabric.leaves != 0)
    found.push_back({"fabric.leaves", fmt::format("expected a divisor of the {} nodes, got {}",
                                                  spec.nodes, spec.fabric.leaves)});
  const bool stays_on_its_leaf =
      spec.fabric.leaves == 1 && (spec.rails == Rails::kPlain || spec.nvlink_forwarding);
  if (spec.fabric.spines == 0 && num_leaves(spec) > 1 && !stays_on_its_leaf)
    found.push_back({"fabric.spines",
                     fmt::format("expected at least 1 to join the {} leaves", num_leaves(spec))});
  return found;
}

Topology build_cluster(const ClusterSpec& spec) {
  throw_if_any("cluster", problems(spec));
  Topology topology;
  topology.name = fmt::format("cluster of {} nodes of {}", spec.nodes, spec.node.num_ranks);
  auto paths = std::make_shared<ClusterPaths>(spec, build_fabric(spec, topology));
  Vertices vertices;
  for (int node = 0; node < spec.nodes; ++node)
    add_node_of_gpus(spec, node, *paths, vertices, topology);
  topology.in_switch_reduction = spec.node.in_switch_reduction;
  topology.symmetry = rotations(spec, *paths, topology, vertices);
  topology.path_selection = [paths = std::shared_ptr<const ClusterPaths>{std::move(paths)}](
                                RankId source, RankId destination, std::vector<LinkId>& links) {
    paths->append(source.value(), destination.value(), links);
  };
  return topology;
}

}  // namespace switchyard
