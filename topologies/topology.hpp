#pragma once

#include <functional>
#include <optional>
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
  bool forwards = true;  ///< whether others' messages may pass where paths are searched for
};

/// Where a link runs. Links on a chip carry flows like any other, but they are no network cable and
/// are left out where the busiest cable is asked for.
enum class LinkPlace { kNetwork, kOnChip };

/// One direction of a physical link. The reverse direction is a link of its own, so full duplex;
/// a half-duplex link is one link that stands at two edges of the graph, there and back.
struct NetworkLink {
  LinkId id;  ///< dense, in the order of construction
  std::string name;
  BytesPerSecond bandwidth;
  Seconds latency;
  LinkPlace place = LinkPlace::kNetwork;
};

using NetworkGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS,
                                           NetworkNode, NetworkLink>;
using NodeId = NetworkGraph::vertex_descriptor;

/// Appends to a list the links that a message crosses, in order. Called for distinct ranks only;
/// depends on nothing but its arguments, so threads may share it.
using PathSelection = std::function<void(RankId source, RankId destination, std::vector<LinkId>&)>;

/// The shape of a torus or mesh: what algorithms that follow its rings need to know.
///
/// Rank r is core r % ranks_per_router of router r / ranks_per_router; routers are numbered with x
/// fastest: router = x + X * (y + Y * z).
struct TorusShape {
  std::vector<int> lengths;  ///< routers along x, y, z
  std::vector<bool> wraps;   ///< whether the dimension closes to rings; by dimension
  int ranks_per_router = 1;
};

/// A group G of relabellings of ranks and links that moves every path onto the path of the moved
/// ends, path(g s, g d) = g path(s, d), links of equal bandwidth and latency onto each other, and
/// in which only the identity leaves a rank where it is. Traffic that is the same after every such
/// relabelling loads the links of an orbit equally, so one source of each orbit tells all.
struct PathSymmetry {
  std::vector<RankId> representatives;  ///< one rank of each orbit
  int orbit_size = 1;                   ///< |G|: ranks of every orbit
  std::vector<int> link_orbit;          ///< by LinkId; dense from 0
};

/// An immutable network with its chosen paths: build it once, share it by const reference.
struct Topology {
  std::string name;
  NetworkGraph graph;
  std::vector<NodeId> ranks;       ///< ranks[r] carries RankId{r}
  std::vector<NetworkLink> links;  ///< links[l] is LinkId{l}, a copy of the graph's edge property
  PathSelection path_selection;    ///< see append_path()
  std::vector<int>
      scale_up_domain;  ///< by rank: equal where ranks share a node, pod or NVLink domain
  std::optional<TorusShape> torus;       ///< of tori and meshes
  std::optional<PathSymmetry> symmetry;  ///< where one is known and has more than the identity
  /// Whether the switches of a scale-up domain can add up what ranks send (NVLink SHARP).
  bool in_switch_reduction = false;
};

/// Adds a node while a network is being built.
NodeId add_node(Topology& topology, NodeKind kind, std::string name);

/// Adds one direction of a link while a network is being built; returns its id.
LinkId add_link(Topology& topology, NodeId from, NodeId to, std::string name, const LinkSpec& spec,
                LinkPlace place = LinkPlace::kNetwork);

/// Number of ranks (devices) of the network.
[[nodiscard]] int num_ranks(const Topology& topology);

/// Appends to `links` the links a message from `source` to `destination` crosses, in order; nothing
/// when they are equal. Precondition: ranks of this topology (checked).
void append_path(const Topology& topology, RankId source, RankId destination,
                 std::vector<LinkId>& links);

/// As append_path(), into a list of its own.
[[nodiscard]] std::vector<LinkId> path(const Topology& topology, RankId source, RankId destination);

/// Sum of the latencies along path().
[[nodiscard]] Seconds path_latency(const Topology& topology, RankId source, RankId destination);

}  // namespace switchyard
