#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/topologies/torus_shapes.hpp"
#include "topologies/network_spec.hpp"

namespace switchyard {

struct NamedNetwork {
  std::string name;
  NetworkSpec spec;
};

inline LinkSpec link_of(double gigabytes_per_second) {
  return {.bandwidth = BytesPerSecond{gigabytes_per_second * 1e9}, .latency = Seconds{1e-6}};
}

inline ScaleUpSpec node_of(int ranks) { return {.num_ranks = ranks, .port = link_of(450)}; }

/// 50 GB/s NICs, one for each GPU.
inline ClusterSpec cluster_of(int nodes, int gpus, Rails rails, bool forwarding, int leaves,
                              int spines) {
  ClusterSpec spec;
  spec.nodes = nodes;
  spec.node = node_of(gpus);
  spec.nics_per_node = gpus;
  spec.nic = link_of(50);
  spec.rails = rails;
  spec.nvlink_forwarding = forwarding;
  spec.fabric.leaves = leaves;
  spec.fabric.spines = spines;
  return spec;
}

inline FatTreeSpec two_tiers(int leaves, int hosts_per_leaf, int spines, double oversubscription) {
  FatTreeSpec spec;
  spec.leaves = leaves;
  spec.hosts_per_leaf = hosts_per_leaf;
  spec.spines = spines;
  spec.host_link = link_of(50);
  spec.oversubscription = oversubscription;
  return spec;
}

inline FatTreeSpec three_tiers(int pods, int leaves, int hosts_per_leaf, int spines, int cores) {
  FatTreeSpec spec = two_tiers(leaves, hosts_per_leaf, spines, 1.0);
  spec.pods = pods;
  spec.cores_per_spine = cores;
  return spec;
}

inline std::shared_ptr<const NetworkSpec> part(NetworkSpec spec) {
  return std::make_shared<const NetworkSpec>(std::move(spec));
}

inline GraphSpec ring_graph(int ranks, Duplex duplex) {
  GraphSpec spec;
  for (int i = 0; i < ranks; ++i) spec.nodes.push_back({.name = "n" + std::to_string(i)});
  for (int i = 0; i < ranks; ++i)
    spec.links.push_back({.from = "n" + std::to_string(i),
                          .to = "n" + std::to_string((i + 1) % ranks),
                          .link = link_of(10),
                          .duplex = duplex});
  return spec;
}

inline DegradedSpec without_link(NetworkSpec spec, std::string link) {
  return {.network = part(std::move(spec)),
          .links = {{.link = std::move(link), .bandwidth_factor = {}}},
          .failed_switches = {}};
}

/// Some of every kind, small enough to look at every path.
inline std::vector<NamedNetwork> network_examples() {
  const LinkSpec cable = link_of(100);
  FatTreeSpec ecmp = two_tiers(4, 4, 3, 2.0);
  ecmp.choice = {.kind = PathChoice::kEcmp, .seed = 7};
  TorusSpec fixed = torus_of({4, 4, 4}, cable);
  fixed.tie = TieBreak::kFixed;
  TorusSpec mixed = torus_of({4, 2, 3}, cable, 2);
  mixed.dimensions[2].wrap = false;
  mixed.dimensions[2].link = link_of(25);
  ClusterSpec shared_nics = cluster_of(4, 8, Rails::kOptimised, true, 2, 2);
  shared_nics.nics_per_node = 4;
  ClusterSpec hashed = cluster_of(4, 4, Rails::kOptimised, false, 2, 3);
  hashed.fabric.choice = {.kind = PathChoice::kEcmp, .seed = 1};
  const HierarchySpec pods{.inside = part(torus_of({2, 2}, cable, 2)),
                           .outside = part(two_tiers(2, 2, 2, 1.0)),
                           .port = link_of(6.25)};
  return {{"Torus2d", torus_of({4, 4}, cable, 2)},
          {"Torus3d", torus_of({4, 4, 4}, cable)},
          {"Torus3dOdd", torus_of({3, 5, 2}, cable)},
          {"Torus3dFixed", fixed},
          {"Torus3dMixed", mixed},
          {"Mesh3d", torus_of({3, 3, 2}, cable, 1, false)},
          {"ScaleUp", node_of(8)},
          {"ScaleUpOfOne", node_of(1)},
          {"FullyConnected", FullyConnectedSpec{.num_ranks = 5, .link = cable}},
          {"FatTree", two_tiers(4, 4, 2, 1.0)},
          {"FatTreeUneven", two_tiers(3, 5, 2, 3.0)},
          {"FatTreeEcmp", ecmp},
          {"FatTreeThreeTiers", three_tiers(2, 2, 4, 2, 2)},
          {"FatTreeThreeTiersUneven", three_tiers(3, 2, 3, 2, 2)},
          {"RailOptimised", cluster_of(4, 4, Rails::kOptimised, true, 2, 2)},
          {"RailsWithoutForwarding", cluster_of(4, 4, Rails::kOptimised, false, 2, 2)},
          {"RailOnly", cluster_of(3, 4, Rails::kOptimised, true, 1, 0)},
          {"PlainRails", cluster_of(4, 4, Rails::kPlain, false, 2, 4)},
          {"PlainRailsOneLeaf", cluster_of(4, 4, Rails::kPlain, false, 1, 0)},
          {"SharedNics", shared_nics},
          {"HashedCluster", hashed},
          {"Hierarchy", pods},
          {"Graph", ring_graph(6, Duplex::kFull)},
          {"GraphHalfDuplex", ring_graph(5, Duplex::kHalf)},
          {"GraphOneWay", ring_graph(4, Duplex::kOneWay)},
          {"TorusWithoutACable", without_link(torus_of({4, 4}, cable), "router(1,1)+x")},
          {"FatTreeWithoutALink", without_link(two_tiers(4, 4, 2, 1.0), "leaf0->spine1")},
          {"ClusterWithoutASpine",
           DegradedSpec{.network = part(cluster_of(4, 4, Rails::kOptimised, true, 2, 2)),
                        .links = {},
                        .failed_switches = {"spine0"}}},
          {"ClusterWithoutANic",
           DegradedSpec{.network = part(cluster_of(4, 4, Rails::kOptimised, true, 2, 2)),
                        .links = {},
                        .failed_switches = {"node1/nic2"}}}};
}

}  // namespace switchyard
