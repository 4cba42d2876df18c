#include "cost_models/build_collective.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cost_models/all_reduce.hpp"
#include "cost_models/all_to_all.hpp"
#include "cost_models/collectives.hpp"
#include "cost_models/gather_scatter.hpp"
#include "cost_models/schedule_parts.hpp"
#include "cost_models/torus_rings.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using enum CollectiveAlgorithm;

bool is_within_a_domain(const RankGroup& group, const Topology& topology) {
  return std::ranges::all_of(group, [&](RankId rank) {
    return topology.scale_up_domain[rank.index()] ==
           topology.scale_up_domain[group.front().index()];
  });
}

/// All-gather or reduce-scatter off the torus: within a domain the faster of ring and direct (which
/// stands for NVLS), else ring or, where it can be, the logarithmic one (which stands for PAT).
CollectiveAlgorithm gather_algorithm(const CollectiveRequest& request,
                                     const std::vector<RankGroup>& groups,
                                     const Topology& topology) {
  const bool within = std::ranges::all_of(
      groups, [&](const RankGroup& group) { return is_within_a_domain(group, topology); });
  const bool powers_of_two = std::ranges::all_of(
      groups, [](const RankGroup& group) { return std::has_single_bit(group.size()); });
  if (!within && !powers_of_two) return kRing;
  const auto time_by = [&](CollectiveAlgorithm algorithm) {
    std::vector<std::vector<Round>> parts;
    for (const RankGroup& group : groups)
      parts.push_back(request.kind == CollectiveKind::kAllGather
                          ? all_gather_rounds(algorithm, group, topology, request.size)
                          : reduce_scatter_rounds(algorithm, group, topology, request.size));
    return schedule_time({.algorithm = {}, .rounds = side_by_side(parts)}, topology);
  };
  const CollectiveAlgorithm other = within ? kDirect : kRecursive;
  return time_by(other) < time_by(kRing) ? other : kRing;
}

CollectiveAlgorithm chosen(const CollectiveRequest& request, const std::vector<RankGroup>& groups,
                           const Topology& topology, const AlgorithmThresholds& thresholds) {
  if (request.kind == CollectiveKind::kPointToPoint) return kDirect;
  if (request.kind == CollectiveKind::kAllToAll)
    return request.deduplication ? kTwoLevelDeduplicated : kDirect;
  if (topology.torus) {
    const bool boxes = std::ranges::all_of(
        groups, [&](const RankGroup& group) { return torus_box(group, topology).has_value(); });
    return boxes ? kTorus : kRing;
  }
  if (request.kind != CollectiveKind::kAllReduce)
    return gather_algorithm(request, groups, topology);
  if (std::ranges::max_element(groups, {}, &RankGroup::size)->size() <= 2) return kRing;
  const bool in_switch = std::ranges::all_of(
      groups, [&](const RankGroup& group) { return can_reduce_in_switch(group, topology); });
  if (in_switch && request.size >= thresholds.in_switch_from) return kInSwitch;
  if (request.size > thresholds.tree_up_to) return kRing;
  const auto time_by = [&](CollectiveAlgorithm algorithm) {
    std::vector<std::vector<Round>> parts;
    for (const RankGroup& group : groups)
      parts.push_back(all_reduce_rounds(algorithm, request, group, topology));
    return schedule_time({.algorithm = {}, .rounds = side_by_side(parts)}, topology);
  };
  return time_by(kDoubleBinaryTree) < time_by(kRing) ? kDoubleBinaryTree : kRing;
}

CollectiveAlgorithm checked(const CollectiveRequest& request) {
  const auto served = algorithms_of(request.kind);
  if (std::ranges::find(served, request.algorithm) == served.end()) {
    std::vector<std::string_view> names{algorithm_name(kAuto)};
    for (const CollectiveAlgorithm algorithm : served) names.push_back(algorithm_name(algorithm));
    throw ConfigError(fmt::format("{} has no algorithm {}: choose one of {}",
                                  kind_name(request.kind), algorithm_name(request.algorithm),
                                  fmt::join(names, ", ")));
  }
  return request.algorithm;
}

/// Every rank sends as much to every other one: one round that need not list its messages.
bool is_uniform_over_all(const CollectiveRequest& request, const std::vector<RankGroup>& groups,
                         const Topology& topology) {
  return request.traffic.empty() && groups.size() == 1 &&
         std::ssize(groups[0]) == num_ranks(topology);
}

std::vector<Round> rounds_of(CollectiveAlgorithm algorithm, const CollectiveRequest& request,
                             const RankGroup& group, std::size_t group_index,
                             const Topology& topology) {
  switch (request.kind) {
    case CollectiveKind::kAllToAll:
      return all_to_all_rounds(algorithm, request, group, group_index, topology);
    case CollectiveKind::kAllReduce:
      return all_reduce_rounds(algorithm, request, group, topology);
    case CollectiveKind::kAllGather:
      return all_gather_rounds(algorithm, group, topology, request.size);
    case CollectiveKind::kReduceScatter:
      return reduce_scatter_rounds(algorithm, group, topology, request.size);
    case CollectiveKind::kPointToPoint: {
      const Flow flow{group.front(), group.back(), request.size};
      if (!crosses_network(flow)) return {};
      return {{.flows = {flow}}};
    }
  }
  SWITCHYARD_CHECK(false, "collective kind {}", static_cast<int>(request.kind));
  return {};
}

/// The switch adds up, then sends the sum down: one more path than the flows that stand for it.
Seconds way_down(const std::vector<RankGroup>& groups, const Topology& topology) {
  Seconds longest;
  for (const RankGroup& group : groups)
    if (group.size() > 1)
      longest = std::max(longest, path_latency(topology, group.front(), group.back()));
  return longest;
}

}  // namespace

CollectiveAlgorithm chosen_algorithm(const CollectiveRequest& request, const Topology& topology,
                                     const AlgorithmThresholds& thresholds) {
  if (request.algorithm != kAuto) return checked(request);
  return chosen(request, resolved_groups(request, topology), topology, thresholds);
}

CollectiveSchedule build_collective(const CollectiveRequest& request, const Topology& topology,
                                    const AlgorithmThresholds& thresholds) {
  const std::vector<RankGroup> groups = resolved_groups(request, topology);
  const CollectiveAlgorithm algorithm =
      request.algorithm == kAuto ? chosen(request, groups, topology, thresholds) : checked(request);
  CollectiveSchedule schedule{.algorithm = std::string{algorithm_name(algorithm)}};
  if (request.kind == CollectiveKind::kAllToAll && algorithm == kDirect &&
      is_uniform_over_all(request, groups, topology)) {
    const int ranks = num_ranks(topology);
    if (ranks > 1 && request.size > Bytes{0})
      schedule.rounds.push_back({.all_pairs = AllPairs{request.size / ranks}});
    return schedule;
  }
  std::vector<std::vector<Round>> parts;
  for (std::size_t g = 0; g < groups.size(); ++g)
    parts.push_back(rounds_of(algorithm, request, groups[g], g, topology));
  schedule.rounds = side_by_side(parts);
  if (algorithm == kInSwitch && !schedule.rounds.empty())
    schedule.startup = way_down(groups, topology);
  return schedule;
}

}  // namespace switchyard
