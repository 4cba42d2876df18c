#include "cost_models/all_reduce.hpp"

#include <bit>

#include <fmt/format.h>

#include "cost_models/double_binary_tree.hpp"
#include "cost_models/gather_scatter.hpp"
#include "cost_models/group_nodes.hpp"
#include "cost_models/ring.hpp"
#include "cost_models/schedule_parts.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// A reduce-scatter and the all-gather that undoes it.
std::vector<Round> scatter_and_gather(CollectiveAlgorithm algorithm, const RankGroup& group,
                                      const Topology& topology, Bytes size) {
  std::vector<Round> rounds = reduce_scatter_rounds(algorithm, group, topology, size);
  append_reversed(rounds, std::vector<Round>{rounds});
  return rounds;
}

/// Halving and doubling; ranks beyond a power of two hand their buffers to a neighbour first.
std::vector<Round> recursive_all_reduce(const RankGroup& group, const Topology& topology,
                                        Bytes size) {
  const std::size_t extra = group.size() - std::bit_floor(group.size());
  Round fold;
  RankGroup core;
  for (std::size_t k = 0; k < group.size(); ++k) {
    if (k < 2 * extra && k % 2 == 0)
      fold.flows.push_back({group[k], group[k + 1], size});
    else
      core.push_back(group[k]);
  }
  std::vector<Round> rounds =
      scatter_and_gather(CollectiveAlgorithm::kRecursive, core, topology, size);
  if (extra == 0) return rounds;
  rounds.insert(rounds.begin(), fold);
  rounds.push_back(mirrored(std::vector{fold}).front());
  return rounds;
}

std::vector<Round> two_level_all_reduce(const RankGroup& group, const Topology& topology,
                                        Bytes size) {
  const GroupNodes nodes = group_nodes(group, topology);
  (void)equal_members(nodes, CollectiveAlgorithm::kTwoLevel);
  return scatter_and_gather(CollectiveAlgorithm::kTwoLevel, group, topology, size);
}

std::vector<Round> in_switch_all_reduce(const RankGroup& group, const Topology& topology,
                                        Bytes size) {
  if (!can_reduce_in_switch(group, topology))
    throw ConfigError(
        topology.in_switch_reduction
            ? fmt::format("in-switch reduction works within one node of {}, but a group spans "
                          "several: use two-level or ring",
                          topology.name)
            : fmt::format("{} has no switches that can reduce: use ring or double-binary-tree",
                          topology.name));
  Round round;
  for (std::size_t k = 0; k < group.size(); ++k)
    round.flows.push_back({group[k], group[(k + 1) % group.size()], size});
  return {round};
}

}  // namespace

bool can_reduce_in_switch(const RankGroup& group, const Topology& topology) {
  return topology.in_switch_reduction && group_nodes(group, topology).members.size() == 1;
}

std::vector<Round> all_reduce_rounds(CollectiveAlgorithm algorithm,
                                     const CollectiveRequest& request, const RankGroup& group,
                                     const Topology& topology) {
  if (group.size() < 2 || request.size == Bytes{0}) return {};
  switch (algorithm) {
    case CollectiveAlgorithm::kRing:
      return ring_rounds(group, topology, request.size, 2);
    case CollectiveAlgorithm::kTorus:
      return scatter_and_gather(algorithm, group, topology, request.size);
    case CollectiveAlgorithm::kRecursive:
      return recursive_all_reduce(group, topology, request.size);
    case CollectiveAlgorithm::kTwoLevel:
      return two_level_all_reduce(group, topology, request.size);
    case CollectiveAlgorithm::kDoubleBinaryTree:
      return double_binary_tree_rounds(group, topology, request.size, request.chunk);
    case CollectiveAlgorithm::kInSwitch:
      return in_switch_all_reduce(group, topology, request.size);
    default:
      SWITCHYARD_CHECK(false, "all-reduce by {}", algorithm_name(algorithm));
      return {};
  }
}

}  // namespace switchyard
