#include "cost_models/network_cuts.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <Eigen/Core>

#include "cost_models/torus_rings.hpp"

namespace switchyard {
namespace {

/// A growing set of vertices.
class VertexSet {
 public:
  explicit VertexSet(const Topology& topology)
      : topology_{&topology}, is_inside_(boost::num_vertices(topology.graph)) {}

  [[nodiscard]] bool contains(NodeId node) const { return is_inside_[node]; }

  /// By how much the border widens, (out, in), when `node` comes in.
  [[nodiscard]] std::pair<BytesPerSecond, BytesPerSecond> change(NodeId node) const {
    BytesPerSecond out;
    BytesPerSecond in;
    const NetworkGraph& graph = topology_->graph;
    for (auto [e, end] = boost::out_edges(node, graph); e != end; ++e) {
      const BytesPerSecond rate = bandwidth(graph[*e].id);
      if (is_inside_[boost::target(*e, graph)])
        in += -1.0 * rate;
      else
        out += rate;
    }
    for (auto [e, end] = boost::in_edges(node, graph); e != end; ++e) {
      const BytesPerSecond rate = bandwidth(graph[*e].id);
      if (is_inside_[boost::source(*e, graph)])
        out += -1.0 * rate;
      else
        in += rate;
    }
    return {out, in};
  }

  void add(NodeId node) {
    if (is_inside_[node]) return;
    is_inside_[node] = true;
    members_.push_back(node);
  }

  /// Takes in neighbouring switches while that widens the border in neither direction.
  void take_in_switches() {
    const NetworkGraph& graph = topology_->graph;
    for (std::size_t k = 0; k < members_.size(); ++k) {
      for (auto [e, end] = boost::out_edges(members_[k], graph); e != end; ++e) {
        const NodeId neighbour = boost::target(*e, graph);
        if (is_inside_[neighbour] || graph[neighbour].kind != NodeKind::kRouter) continue;
        const auto [out, in] = change(neighbour);
        if (out <= BytesPerSecond{0} && in <= BytesPerSecond{0}) {
          add(neighbour);
          k = 0;  // others may be worth it now
        }
      }
    }
  }

  [[nodiscard]] NetworkCut cut(std::vector<RankId> ranks) const {
    NetworkCut result{.ranks = std::move(ranks), .out = {}, .in = {}};
    const NetworkGraph& graph = topology_->graph;
    for (const NodeId node : members_) {
      for (auto [e, end] = boost::out_edges(node, graph); e != end; ++e)
        if (!is_inside_[boost::target(*e, graph)]) result.out += bandwidth(graph[*e].id);
      for (auto [e, end] = boost::in_edges(node, graph); e != end; ++e)
        if (!is_inside_[boost::source(*e, graph)]) result.in += bandwidth(graph[*e].id);
    }
    return result;
  }

 private:
  [[nodiscard]] BytesPerSecond bandwidth(LinkId link) const {
    return topology_->links[link.index()].bandwidth;
  }

  const Topology* topology_;
  std::vector<bool> is_inside_;
  std::vector<NodeId> members_;
};

/// The set of `ranks` and, on request, the routers they hang on.
VertexSet set_of(const Topology& topology, const std::vector<RankId>& ranks, bool with_routers) {
  VertexSet set{topology};
  for (const RankId rank : ranks) {
    const NodeId node = topology.ranks[rank.index()];
    set.add(node);
    if (!with_routers) continue;
    for (auto [e, end] = boost::out_edges(node, topology.graph); e != end; ++e)
      set.add(boost::target(*e, topology.graph));
  }
  return set;
}

RankId rank_id(std::size_t rank) { return RankId{static_cast<std::int32_t>(rank)}; }

std::vector<NetworkCut> node_cuts(const Topology& topology) {
  std::map<int, std::vector<RankId>> nodes;
  for (std::size_t r = 0; r < topology.ranks.size(); ++r) {
    const int node = topology.torus ? static_cast<int>(r) / topology.torus->ranks_per_router
                     : topology.scale_up_domain.empty() ? 0
                                                        : topology.scale_up_domain[r];
    nodes[node].push_back(rank_id(r));
  }
  std::vector<NetworkCut> cuts;
  for (const auto& [node, ranks] : nodes) {
    VertexSet set = set_of(topology, ranks, topology.torus.has_value());
    if (!topology.torus) set.take_in_switches();
    cuts.push_back(set.cut(ranks));
  }
  return cuts;
}

/// Bandwidth of all links by the coordinates, in one dimension, of the routers that they leave and
/// enter; ranks have those of their router.
Eigen::MatrixXd bandwidth_between(const Topology& topology, const std::vector<int>& of_rank,
                                  int length) {
  const NetworkGraph& graph = topology.graph;
  std::vector<int> of_node(boost::num_vertices(graph), -1);
  for (std::size_t r = 0; r < of_rank.size(); ++r) {
    of_node[topology.ranks[r]] = of_rank[r];
    for (auto [e, end] = boost::out_edges(topology.ranks[r], graph); e != end; ++e)
      of_node[boost::target(*e, graph)] = of_rank[r];
  }
  Eigen::MatrixXd between = Eigen::MatrixXd::Zero(length, length);
  for (auto [e, end] = boost::edges(graph); e != end; ++e)
    between(of_node[boost::source(*e, graph)], of_node[boost::target(*e, graph)]) +=
        topology.links[graph[*e].id.index()].bandwidth.base();
  return between;
}

/// Every run of neighbouring coordinates, round the ring where there is one.
std::vector<NetworkCut> slab_cuts(const Topology& topology, std::size_t dimension) {
  const TorusShape& shape = *topology.torus;
  const int length = shape.lengths[dimension];
  const bool wraps = shape.wraps[dimension];
  std::vector<int> coordinates;
  for (std::size_t r = 0; r < topology.ranks.size(); ++r)
    coordinates.push_back(torus_place(shape, rank_id(r))[dimension + 1]);
  const Eigen::MatrixXd between = bandwidth_between(topology, coordinates, length);
  std::vector<NetworkCut> cuts;
  // Of a ring, half the widths: the others are complements, and those are tried with each.
  const int widest = wraps ? length / 2 : length - 1;
  for (int width = 1; width <= widest; ++width) {
    for (int first = 0; first < (wraps ? length : length - width + 1); ++first) {
      const auto is_inside = [&](int at) { return (at - first + length) % length < width; };
      NetworkCut cut;
      for (std::size_t r = 0; r < coordinates.size(); ++r)
        if (is_inside(coordinates[r])) cut.ranks.push_back(rank_id(r));
      for (int from = 0; from < length; ++from)
        for (int to = 0; to < length; ++to) {
          if (is_inside(from) && !is_inside(to)) cut.out += BytesPerSecond{between(from, to)};
          if (!is_inside(from) && is_inside(to)) cut.in += BytesPerSecond{between(from, to)};
        }
      cuts.push_back(std::move(cut));
    }
  }
  return cuts;
}

}  // namespace

NetworkCuts network_cuts(const Topology& topology) {
  NetworkCuts cuts;
  for (std::size_t r = 0; r < topology.ranks.size(); ++r) {
    VertexSet set = set_of(topology, {rank_id(r)}, false);
    if (!topology.torus) set.take_in_switches();  // a network card of its own
    cuts.ranks.push_back(set.cut({rank_id(r)}));
  }
  cuts.nodes = node_cuts(topology);
  if (topology.torus)
    for (std::size_t d = 0; d < topology.torus->lengths.size(); ++d)
      for (NetworkCut& cut : slab_cuts(topology, d)) cuts.slabs.push_back(std::move(cut));
  return cuts;
}

}  // namespace switchyard
