#pragma once

#include <span>
#include <string>
#include <vector>

#include <boost/graph/adjacency_list.hpp>

#include "sim/core/ids.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// What a builder needs to know of a link.
struct LinkSpec {
  BytesPerSecond bandwidth;  ///< per direction
  Seconds latency;           ///< propagation plus switching, one way
};

enum class NodeKind { kRank, kRouter };

/// A vertex of the network graph: a rank (device) or a router (a TPU chip's switch, a leaf, ...).
struct NetworkNode {
  NodeKind kind = NodeKind::kRouter;
  std::string name;
};

/// One direction of a physical link. The reverse direction is a link of its own, so full duplex.
struct NetworkLink {
  LinkId id;  ///< dense, in the order of construction
  std::string name;
  BytesPerSecond bandwidth;
  Seconds latency;
};

using NetworkGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS,
                                           NetworkNode, NetworkLink>;
using NodeId = NetworkGraph::vertex_descriptor;

/// An immutable network with its chosen paths: build it once, share it by const reference.
struct Topology {
  std::string name;
  NetworkGraph graph;
  std::vector<NodeId> ranks;       ///< ranks[r] carries RankId{r}
  std::vector<NetworkLink> links;  ///< links[l] is LinkId{l}, a copy of the graph's edge property
  /// paths[source * ranks.size() + destination]: the links crossed, in order; empty on the
  /// diagonal.
  std::vector<std::vector<LinkId>> paths;
};

/// Adds a node while a network is being built.
NodeId add_node(Topology& topology, NodeKind kind, std::string name);

/// Adds one direction of a link while a network is being built; returns its id.
LinkId add_link(Topology& topology, NodeId from, NodeId to, std::string name, const LinkSpec& spec);

/// Number of ranks (devices) of the network.
[[nodiscard]] int num_ranks(const Topology& topology);

/// The links a message from `source` to `destination` crosses, in order; empty when they are equal.
[[nodiscard]] std::span<const LinkId> path(const Topology& topology, RankId source,
                                           RankId destination);

/// Sum of the latencies along path().
[[nodiscard]] Seconds path_latency(const Topology& topology, RankId source, RankId destination);

}  // namespace switchyard
