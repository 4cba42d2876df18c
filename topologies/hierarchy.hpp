#pragma once

#include <memory>

#include "topologies/spec_problem.hpp"

namespace switchyard {

struct NetworkSpec;

/// A network of networks: a copy of `inside` at each rank of `outside`.
///
/// With M ranks inside, rank r is rank r % M of copy r / M. Each rank has a port to the gateway of
/// its copy, which stands where `outside` has a rank: the NICs of a pod's hosts, say.
struct HierarchySpec {
  std::shared_ptr<const NetworkSpec> inside;   ///< not null
  std::shared_ptr<const NetworkSpec> outside;  ///< not null
  LinkSpec port;                               ///< rank to gateway, per rank and direction
};

[[nodiscard]] SpecProblems problems(const HierarchySpec& spec);

/// Builds it. Paths within a copy are those of `inside`, others go port, path of `outside`, port.
/// Names of copy k begin with "nodek/", those of the outside with "outside/".
/// @throws ConfigError naming every problem.
[[nodiscard]] Topology build_hierarchy(const HierarchySpec& spec);

[[nodiscard]] int num_ranks(const HierarchySpec& spec);

}  // namespace switchyard
