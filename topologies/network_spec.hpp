#pragma once

#include <variant>

#include "topologies/cluster.hpp"
#include "topologies/degraded.hpp"
#include "topologies/fat_tree.hpp"
#include "topologies/graph.hpp"
#include "topologies/hierarchy.hpp"
#include "topologies/scale_up.hpp"
#include "topologies/torus.hpp"

namespace switchyard {

/// Every kind of network a system can have; each alternative has its builder beside it. A struct
/// and no alias, so that networks of networks can name it before it is complete.
struct NetworkSpec : std::variant<TorusSpec, ScaleUpSpec, ClusterSpec, FatTreeSpec,
                                  FullyConnectedSpec, HierarchySpec, GraphSpec, DegradedSpec> {
  using variant::variant;
};

/// Builds the network that `spec` describes.
/// @throws ConfigError as the builder of its kind does.
[[nodiscard]] Topology build_topology(const NetworkSpec& spec);

/// Number of ranks, without building it.
[[nodiscard]] int num_ranks(const NetworkSpec& spec);

/// What build_topology() would throw, problem by problem.
[[nodiscard]] SpecProblems problems(const NetworkSpec& spec);

}  // namespace switchyard
