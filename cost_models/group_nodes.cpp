#include "cost_models/group_nodes.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {

GroupNodes group_nodes(const RankGroup& group, const Topology& topology) {
  GroupNodes nodes;
  std::map<int, int> node_of_domain;
  for (const RankId rank : group) {
    const int domain =
        topology.scale_up_domain.empty() ? 0 : topology.scale_up_domain[rank.index()];
    const auto [place, is_new] =
        node_of_domain.try_emplace(domain, static_cast<int>(nodes.members.size()));
    if (is_new) nodes.members.emplace_back();
    RankGroup& node = nodes.members[static_cast<std::size_t>(place->second)];
    nodes.node_of.push_back(place->second);
    nodes.place_in_node.push_back(static_cast<int>(node.size()));
    node.push_back(rank);
  }
  return nodes;
}

int fewest_members(const GroupNodes& nodes) {
  return static_cast<int>(std::ranges::min_element(nodes.members, {}, &RankGroup::size)->size());
}

int equal_members(const GroupNodes& nodes, CollectiveAlgorithm algorithm) {
  const int fewest = fewest_members(nodes);
  for (const RankGroup& node : nodes.members)
    if (static_cast<int>(node.size()) != fewest)
      throw ConfigError(fmt::format(
          "{} needs as many ranks of a group in every node, but one has {} and another {}: choose "
          "other groups, or ring",
          algorithm_name(algorithm), fewest, node.size()));
  return fewest;
}

}  // namespace switchyard
