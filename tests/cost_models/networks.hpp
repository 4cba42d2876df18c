#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "topologies/topology.hpp"

namespace switchyard {

/// `num_nodes` nodes of `ranks_per_node`: each rank has a port to its node's switch and, where
/// there is more than one node, one to a switch between all nodes.
struct NodesSpec {
  int num_nodes = 1;
  int ranks_per_node = 8;
  LinkSpec up;   ///< rank - switch of the node
  LinkSpec out;  ///< rank - switch between nodes
  bool in_switch_reduction = false;
};

inline Topology nodes_of(const NodesSpec& spec) {
  Topology topology;
  topology.name = fmt::format("{} nodes of {}", spec.num_nodes, spec.ranks_per_node);
  topology.in_switch_reduction = spec.in_switch_reduction;
  const NodeId spine = add_node(topology, NodeKind::kRouter, "spine");
  struct Ports {
    LinkId up, down, out, in;
  };
  std::vector<Ports> ports;
  for (int node = 0; node < spec.num_nodes; ++node) {
    const NodeId hub = add_node(topology, NodeKind::kRouter, fmt::format("switch{}", node));
    for (int k = 0; k < spec.ranks_per_node; ++k) {
      const NodeId rank = add_node(topology, NodeKind::kRank, fmt::format("rank{}", ports.size()));
      topology.ranks.push_back(rank);
      topology.scale_up_domain.push_back(node);
      Ports own{};
      own.up = add_link(topology, rank, hub, "up", spec.up);
      own.down = add_link(topology, hub, rank, "down", spec.up);
      if (spec.num_nodes > 1) {
        own.out = add_link(topology, rank, spine, "out", spec.out);
        own.in = add_link(topology, spine, rank, "in", spec.out);
      }
      ports.push_back(own);
    }
  }
  topology.path_selection = [ports, per_node = spec.ranks_per_node](
                                RankId source, RankId destination, std::vector<LinkId>& links) {
    const Ports& from = ports[source.index()];
    const Ports& to = ports[destination.index()];
    const bool together = source.value() / per_node == destination.value() / per_node;
    links.push_back(together ? from.up : from.out);
    links.push_back(together ? to.down : to.in);
  };
  return topology;
}

/// One node: n ranks on a switch.
inline Topology star_of(int num_ranks, const LinkSpec& port, bool in_switch_reduction = false) {
  return nodes_of({.num_nodes = 1,
                   .ranks_per_node = num_ranks,
                   .up = port,
                   .out = {},
                   .in_switch_reduction = in_switch_reduction});
}

}  // namespace switchyard
