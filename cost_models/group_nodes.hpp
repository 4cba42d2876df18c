#pragma once

#include <vector>

#include "cost_models/collective_request.hpp"

namespace switchyard {

/// How a group lies over nodes (scale-up domains).
struct GroupNodes {
  /// Ranks of each node, in the order of the group; nodes in the order in which it first names
  /// them.
  std::vector<RankGroup> members;
  std::vector<int> node_of;        ///< by place in the group: index into `members`
  std::vector<int> place_in_node;  ///< by place in the group
};

[[nodiscard]] GroupNodes group_nodes(const RankGroup& group, const Topology& topology);

/// Ranks of the node with the fewest.
[[nodiscard]] int fewest_members(const GroupNodes& nodes);

/// The number of ranks in every node.
/// @throws ConfigError when they differ; `algorithm` is who needs it.
[[nodiscard]] int equal_members(const GroupNodes& nodes, CollectiveAlgorithm algorithm);

}  // namespace switchyard
