#include "topologies/network_spec.hpp"

namespace switchyard {
namespace {

Topology build(const TorusSpec& spec) { return build_torus(spec); }

}  // namespace

Topology build_topology(const NetworkSpec& spec) {
  return std::visit([](const auto& network) { return build(network); }, spec);
}

int num_ranks(const NetworkSpec& spec) {
  return std::visit([](const auto& network) { return num_ranks(network); }, spec);
}

}  // namespace switchyard
