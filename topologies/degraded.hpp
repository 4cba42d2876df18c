#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "topologies/spec_problem.hpp"

namespace switchyard {

struct NetworkSpec;

/// A link that is slow or out of service.
struct LinkFault {
  std::string link;                        ///< name of either direction of the cable
  std::optional<double> bandwidth_factor;  ///< above 0, at most 1; none: the link has failed
  bool both_directions = true;             ///< the link of the opposite direction too
};

/// A network some of whose links or switches are not as built.
struct DegradedSpec {
  std::shared_ptr<const NetworkSpec> network;  ///< not null
  std::vector<LinkFault> links;
  std::vector<std::string> failed_switches;  ///< names of nodes that are not ranks
};

/// Key of a problem: `links[i]` or `failed_switches[i]`, or empty for a pair that is cut off.
[[nodiscard]] SpecProblems problems(const DegradedSpec& spec);

/// Builds the network and takes away what has failed; slow links keep their paths. A path that
/// meets a failure is replaced by a shortest way around (ShortestPaths, by hash): in a switched
/// network one of the surviving equal ways, in a torus a way that need not keep dimension order.
/// A degraded network has no symmetry.
///
/// @throws ConfigError naming every problem.
[[nodiscard]] Topology build_degraded(const DegradedSpec& spec);

[[nodiscard]] int num_ranks(const DegradedSpec& spec);

/// Names of links out of service and slow ones, in the order of the links as built.
struct DegradedLinks {
  std::vector<std::string> failed;
  std::vector<std::string> slow;
};
[[nodiscard]] DegradedLinks degraded_links(const DegradedSpec& spec);

/// Ordered pairs of ranks whose path meets a failure.
[[nodiscard]] std::int64_t num_rerouted_pairs(const DegradedSpec& spec);

}  // namespace switchyard
