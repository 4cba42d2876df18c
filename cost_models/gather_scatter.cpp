#include "cost_models/gather_scatter.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cost_models/group_nodes.hpp"
#include "cost_models/ring.hpp"
#include "cost_models/schedule_parts.hpp"
#include "cost_models/torus_rings.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::vector<Round> direct_gather(const RankGroup& group, Bytes part) {
  Round round;
  for (const RankId source : group)
    for (const RankId destination : group)
      if (source != destination) round.flows.push_back({source, destination, part});
  return {std::move(round)};
}

/// In round k every rank gives the 2^k parts it has (or what is missing) to the rank 2^k before.
std::vector<Round> bruck_gather(const RankGroup& group, Bytes part) {
  std::vector<Round> rounds;
  const std::size_t ranks = group.size();
  for (std::size_t distance = 1; distance < ranks; distance *= 2) {
    Round& round = rounds.emplace_back();
    const auto parts = static_cast<double>(std::min(distance, ranks - distance));
    for (std::size_t k = 0; k < ranks; ++k)
      round.flows.push_back({group[k], group[(k + ranks - distance) % ranks], parts * part});
  }
  return rounds;
}

/// In round k partners whose places differ in bit k exchange all they have.
std::vector<Round> doubling_gather(const RankGroup& group, Bytes part) {
  if (!std::has_single_bit(group.size()))
    throw ConfigError(
        fmt::format("recursive doubling needs a power of two ranks in a group, got "
                    "{}: use ring or direct",
                    group.size()));
  std::vector<Round> rounds;
  for (std::size_t distance = 1; distance < group.size(); distance *= 2) {
    Round& round = rounds.emplace_back();
    for (std::size_t k = 0; k < group.size(); ++k)
      round.flows.push_back({group[k], group[k ^ distance], static_cast<double>(distance) * part});
  }
  return rounds;
}

std::vector<Round> two_level_gather(const RankGroup& group, const Topology& topology, Bytes size) {
  const GroupNodes nodes = group_nodes(group, topology);
  const int members = equal_members(nodes, CollectiveAlgorithm::kTwoLevel);
  std::vector<std::vector<Round>> between;
  for (int place = 0; place < members; ++place) {
    RankGroup rail;
    for (const RankGroup& node : nodes.members)
      rail.push_back(node[static_cast<std::size_t>(place)]);
    between.push_back(ring_rounds(rail, topology, size / members, 1));
  }
  std::vector<std::vector<Round>> within;
  for (const RankGroup& node : nodes.members)
    within.push_back(ring_rounds(node, topology, size, 1));
  std::vector<Round> rounds = side_by_side(between);
  std::ranges::move(side_by_side(within), std::back_inserter(rounds));
  return rounds;
}

std::vector<Round> torus_gather(const RankGroup& group, const Topology& topology, Bytes size) {
  const auto box = torus_box(group, topology);
  if (!box)
    throw ConfigError(topology.torus
                          ? "the torus algorithm needs groups that are boxes of the torus: all "
                            "combinations of some x, y, z and core; use ring for others"
                          : fmt::format("{} is no torus: use ring", topology.name));
  return mirrored(torus_reduce_scatter(*box, size));
}

}  // namespace

std::vector<Round> all_gather_rounds(CollectiveAlgorithm algorithm, const RankGroup& group,
                                     const Topology& topology, Bytes size) {
  if (group.size() < 2 || size == Bytes{0}) return {};
  const Bytes part = size / static_cast<double>(group.size());
  switch (algorithm) {
    case CollectiveAlgorithm::kRing:
      return ring_rounds(group, topology, size, 1);
    case CollectiveAlgorithm::kDirect:
      return direct_gather(group, part);
    case CollectiveAlgorithm::kBruck:
      return bruck_gather(group, part);
    case CollectiveAlgorithm::kRecursive:
      return doubling_gather(group, part);
    case CollectiveAlgorithm::kTwoLevel:
      return two_level_gather(group, topology, size);
    case CollectiveAlgorithm::kTorus:
      return torus_gather(group, topology, size);
    default:
      SWITCHYARD_CHECK(false, "all-gather by {}", algorithm_name(algorithm));
      return {};
  }
}

std::vector<Round> reduce_scatter_rounds(CollectiveAlgorithm algorithm, const RankGroup& group,
                                         const Topology& topology, Bytes size) {
  return mirrored(all_gather_rounds(algorithm, group, topology, size));
}

}  // namespace switchyard
