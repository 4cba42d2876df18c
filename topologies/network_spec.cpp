#include "topologies/network_spec.hpp"

namespace switchyard {
namespace {

Topology build(const TorusSpec& spec) { return build_torus(spec); }
Topology build(const ScaleUpSpec& spec) { return build_scale_up(spec); }
Topology build(const ClusterSpec& spec) { return build_cluster(spec); }
Topology build(const FatTreeSpec& spec) { return build_fat_tree(spec); }
Topology build(const FullyConnectedSpec& spec) { return build_fully_connected(spec); }
Topology build(const HierarchySpec& spec) { return build_hierarchy(spec); }
Topology build(const GraphSpec& spec) { return build_graph(spec); }
Topology build(const DegradedSpec& spec) { return build_degraded(spec); }

}  // namespace

Topology build_topology(const NetworkSpec& spec) {
  return std::visit([](const auto& network) { return build(network); }, spec);
}

int num_ranks(const NetworkSpec& spec) {
  return std::visit([](const auto& network) { return num_ranks(network); }, spec);
}

SpecProblems problems(const NetworkSpec& spec) {
  return std::visit([](const auto& network) { return problems(network); }, spec);
}

}  // namespace switchyard
