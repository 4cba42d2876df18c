#include "topologies/bisection.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include <boost/graph/push_relabel_max_flow.hpp>

#include "topologies/analysis.hpp"

namespace switchyard {
namespace {

using FlowTraits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
/// Whole bytes per second: an exact flow needs whole capacities.
using FlowGraph = boost::adjacency_list<
    boost::vecS, boost::vecS, boost::directedS, boost::no_property,
    boost::property<
        boost::edge_capacity_t, std::int64_t,
        boost::property<boost::edge_residual_capacity_t, std::int64_t,
                        boost::property<boost::edge_reverse_t, FlowTraits::edge_descriptor>>>>;

void add_arc(FlowGraph& graph, NodeId from, NodeId to, std::int64_t capacity) {
  const auto there = boost::add_edge(from, to, graph).first;
  const auto back = boost::add_edge(to, from, graph).first;
  boost::put(boost::edge_capacity, graph, there, capacity);
  boost::put(boost::edge_capacity, graph, back, 0);
  boost::put(boost::edge_reverse, graph, there, back);
  boost::put(boost::edge_reverse, graph, back, there);
}

/// Closed forms; nullopt where the halves do not fall between pods, leaves or nodes.
std::optional<Bisection> closed_form(const TorusSpec& spec) {
  if (num_routers(spec) == 1) return std::nullopt;
  return Bisection{bisection_bandwidth(spec), true, "across the narrowest dimension"};
}

std::optional<Bisection> closed_form(const ScaleUpSpec& spec) {
  return Bisection{(spec.num_ranks / 2) * spec.port.bandwidth, true, "any halves of the ranks"};
}

std::optional<Bisection> closed_form(const FullyConnectedSpec& spec) {
  const double links = (spec.num_ranks / 2) * ((spec.num_ranks + 1) / 2);
  return Bisection{links * spec.link.bandwidth, true, "any halves of the ranks"};
}

std::optional<Bisection> closed_form(const FatTreeSpec& spec) {
  const BytesPerSecond hosts = (num_ranks(spec) / 2) * spec.host_link.bandwidth;
  const double o = spec.oversubscription;
  if (spec.pods > 1) {
    if (spec.pods % 2 != 0) return std::nullopt;
    return Bisection{hosts / std::max({1.0, o, o * spec.core_oversubscription}), true,
                     "halves of the pods"};
  }
  if (spec.leaves == 1) return Bisection{hosts, true, "any halves of the ranks"};
  if (spec.leaves % 2 != 0) return std::nullopt;
  return Bisection{hosts / std::max(1.0, o), true, "halves of the leaves"};
}

std::optional<Bisection> closed_form(const ClusterSpec& spec) {
  if (spec.nodes == 1) return closed_form(spec.node);
  const int leaves = spec.fabric.leaves;
  if (spec.nodes % 2 != 0 || (leaves > 1 && leaves % 2 != 0)) return std::nullopt;
  const double gpus_per_nic = 1.0 * spec.node.num_ranks / spec.nics_per_node;
  const BytesPerSecond nic = std::min(spec.nic.bandwidth, gpus_per_nic * spec.gpu_to_nic.bandwidth);
  const double nics = spec.nodes / 2 * spec.nics_per_node;
  BytesPerSecond across = nics * nic;
  if (leaves > 1)
    across = std::min(across, nics * spec.nic.bandwidth / spec.fabric.oversubscription);
  return Bisection{across, true, "halves of the nodes"};
}

template <class Irregular>
std::optional<Bisection> closed_form(const Irregular&) {
  return std::nullopt;
}

}  // namespace

BytesPerSecond max_flow_between_halves(const Topology& topology) {
  const std::size_t nodes = boost::num_vertices(topology.graph);
  const NodeId source = nodes;
  const NodeId sink = nodes + 1;
  FlowGraph graph{nodes + 2};
  for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph)))
    add_arc(graph, boost::source(edge, topology.graph), boost::target(edge, topology.graph),
            std::llround(topology.graph[edge].bandwidth.base()));
  const std::size_t half = topology.ranks.size() / 2;
  for (std::size_t rank = 0; rank < topology.ranks.size(); ++rank) {
    const NodeId node = topology.ranks[rank];
    double all = 0.0;  // what its links can carry never binds
    for (const auto& edge : boost::make_iterator_range(boost::out_edges(node, topology.graph)))
      all += topology.graph[edge].bandwidth.base();
    for (const auto& edge : boost::make_iterator_range(boost::in_edges(node, topology.graph)))
      all += topology.graph[edge].bandwidth.base();
    rank < half ? add_arc(graph, source, node, std::llround(all))
                : add_arc(graph, node, sink, std::llround(all));
  }
  return BytesPerSecond{static_cast<double>(boost::push_relabel_max_flow(graph, source, sink))};
}

Bisection bisection(const NetworkSpec& spec, const Topology& topology) {
  std::optional<Bisection> regular =
      std::visit([](const auto& network) { return closed_form(network); }, spec);
  if (regular) return *regular;
  return {max_flow_between_halves(topology), false, "first half of ranks to the rest, max flow"};
}

}  // namespace switchyard
