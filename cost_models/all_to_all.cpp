#include "cost_models/all_to_all.hpp"

#include <bit>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "cost_models/group_nodes.hpp"
#include "cost_models/schedule_parts.hpp"
#include "cost_models/torus_rings.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// Where a block is after a phase: place of the rank that has it, from the place before it and the
/// places of its sender and receiver.
struct Block {
  int at;
  int sender;
  int receiver;
};
using Hop = std::function<int(int phase, const Block&)>;

/// Store and forward: in each phase every rank sends all blocks that move, one message to each rank
/// that gets any.
std::vector<Round> forwarded(const RankGroup& group, const Eigen::MatrixXd& bytes, int num_phases,
                             const Hop& hop) {
  const Eigen::Index n = bytes.rows();
  Eigen::MatrixXi at = Eigen::VectorXi::LinSpaced(n, 0, static_cast<int>(n) - 1).replicate(1, n);
  std::vector<Round> rounds;
  for (int phase = 0; phase < num_phases; ++phase) {
    Eigen::MatrixXd moved = Eigen::MatrixXd::Zero(n, n);
    for (Eigen::Index sender = 0; sender < n; ++sender) {
      for (Eigen::Index receiver = 0; receiver < n; ++receiver) {
        int& place = at(sender, receiver);
        const int next = hop(phase, {place, static_cast<int>(sender), static_cast<int>(receiver)});
        if (next != place) moved(place, next) += bytes(sender, receiver);
        place = next;
      }
    }
    Round round;
    for (Eigen::Index from = 0; from < n; ++from)
      for (Eigen::Index to = 0; to < n; ++to)
        if (moved(from, to) > 0.0)
          round.flows.push_back({group[static_cast<std::size_t>(from)],
                                 group[static_cast<std::size_t>(to)], Bytes{moved(from, to)}});
    if (!round.flows.empty()) rounds.push_back(std::move(round));
  }
  return rounds;
}

/// Round k: the rank k + 1 places on.
std::vector<Round> pairwise(const RankGroup& group, const Eigen::MatrixXd& bytes) {
  const std::size_t n = group.size();
  std::vector<Round> rounds;
  for (std::size_t distance = 1; distance < n; ++distance) {
    Round round;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t to = (k + distance) % n;
      const Bytes amount{bytes(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(to))};
      if (amount > Bytes{0}) round.flows.push_back({group[k], group[to], amount});
    }
    if (!round.flows.empty()) rounds.push_back(std::move(round));
  }
  return rounds;
}

/// Round k: each rank passes on the blocks that its k-th predecessor sent beyond it.
std::vector<Round> around_the_ring(const RankGroup& group, const Eigen::MatrixXd& bytes) {
  const auto n = static_cast<Eigen::Index>(group.size());
  // beyond(s, k): what rank s sends to ranks more than k places on.
  Eigen::MatrixXd beyond = Eigen::MatrixXd::Zero(n, n);
  for (Eigen::Index s = 0; s < n; ++s)
    for (Eigen::Index k = n - 1; k-- > 0;)
      beyond(s, k) = beyond(s, k + 1) + bytes(s, (s + k + 1) % n);
  std::vector<Round> rounds;
  for (Eigen::Index k = 0; k + 1 < n; ++k) {
    Round round;
    for (Eigen::Index at = 0; at < n; ++at) {
      const Bytes amount{beyond((at + n - k) % n, k)};
      if (amount > Bytes{0})
        round.flows.push_back({group[static_cast<std::size_t>(at)],
                               group[static_cast<std::size_t>((at + 1) % n)], amount});
    }
    if (!round.flows.empty()) rounds.push_back(std::move(round));
  }
  return rounds;
}

std::vector<Round> bruck(const RankGroup& group, const Eigen::MatrixXd& bytes) {
  const auto n = static_cast<int>(group.size());
  const int phases = std::bit_width(static_cast<unsigned>(n - 1));
  return forwarded(group, bytes, phases, [n](int phase, const Block& block) {
    const int distance = (block.receiver - block.sender + n) % n;
    const bool moves = (distance >> phase & 1) != 0;
    return moves ? (block.at + (1 << phase)) % n : block.at;
  });
}

/// Places in the group, by node and place in the node.
std::vector<std::vector<int>> places_of(const GroupNodes& nodes) {
  std::vector<std::vector<int>> places(nodes.members.size());
  for (std::size_t k = 0; k < nodes.node_of.size(); ++k)
    places[static_cast<std::size_t>(nodes.node_of[k])].push_back(static_cast<int>(k));
  return places;
}

std::vector<Round> two_level(const RankGroup& group, const Topology& topology,
                             const Eigen::MatrixXd& bytes) {
  const GroupNodes nodes = group_nodes(group, topology);
  const auto places = places_of(nodes);
  return forwarded(group, bytes, 2, [&](int phase, const Block& block) {
    if (phase == 1) return block.receiver;
    const auto receiver = static_cast<std::size_t>(block.receiver);
    const auto& own =
        places[static_cast<std::size_t>(nodes.node_of[static_cast<std::size_t>(block.sender)])];
    return own[static_cast<std::size_t>(nodes.place_in_node[receiver]) % own.size()];
  });
}

/// Dispatch: bytes_to_node(rank, node) between nodes, then forwarding inside.
std::vector<Round> deduplicated_dispatch(const RankGroup& group, const GroupNodes& nodes,
                                         const Eigen::MatrixXd& bytes,
                                         const Eigen::MatrixXd& bytes_to_node) {
  std::vector<Flow> between;
  std::vector<Flow> within;
  for (std::size_t s = 0; s < group.size(); ++s) {
    const auto proxy = [&](std::size_t node) {
      const RankGroup& members = nodes.members[node];
      return members[static_cast<std::size_t>(nodes.place_in_node[s]) % members.size()];
    };
    const auto row = static_cast<Eigen::Index>(s);
    for (std::size_t node = 0; node < nodes.members.size(); ++node)
      if (static_cast<int>(node) != nodes.node_of[s])
        between.push_back(
            {group[s], proxy(node), Bytes{bytes_to_node(row, static_cast<Eigen::Index>(node))}});
    for (std::size_t r = 0; r < group.size(); ++r)
      within.push_back({proxy(static_cast<std::size_t>(nodes.node_of[r])), group[r],
                        r == s ? Bytes{0} : Bytes{bytes(row, static_cast<Eigen::Index>(r))}});
  }
  std::vector<Round> rounds;
  for (const auto& flows : {merged(between), merged(within)})
    if (!flows.empty()) rounds.push_back({.flows = flows});
  return rounds;
}

std::vector<Round> two_level_deduplicated(const CollectiveRequest& request, const RankGroup& group,
                                          std::size_t group_index, const Topology& topology,
                                          const Eigen::MatrixXd& bytes) {
  const TokenDeduplication deduplication =
      request.deduplication.value_or(TokenDeduplication{.ranks_per_node = 1.0});
  const GroupNodes nodes = group_nodes(group, topology);
  const Eigen::MatrixXd dispatched = deduplication.combine ? bytes.transpose() : bytes;
  const std::vector<Round> rounds = deduplicated_dispatch(
      group, nodes, dispatched, deduplicated_bytes(deduplication, group_index, nodes, dispatched));
  return deduplication.combine ? mirrored(rounds) : rounds;
}

/// Among cores, then along each axis. Places are turned into those of the box and back.
std::vector<Round> dimension_ordered(const RankGroup& group, const Topology& topology,
                                     const Eigen::MatrixXd& bytes) {
  const auto box = torus_box(group, topology);
  if (!box)
    throw ConfigError(topology.torus ? "the torus algorithm needs groups that are boxes of the "
                                       "torus: use direct for others"
                                     : fmt::format("{} is no torus: use direct", topology.name));
  std::map<RankId, int> place_in_group;
  for (std::size_t k = 0; k < group.size(); ++k) place_in_group[group[k]] = static_cast<int>(k);
  std::vector<int> box_to_group;
  std::vector<int> group_to_box(group.size());
  for (std::size_t k = 0; k < group.size(); ++k) {
    box_to_group.push_back(place_in_group.at(box->ranks[k]));
    group_to_box[static_cast<std::size_t>(box_to_group.back())] = static_cast<int>(k);
  }
  std::vector<int> lengths{box->cores};
  for (const TorusBox::Axis& axis : box->axes) lengths.push_back(axis.length);
  std::vector<int> strides{1};
  for (const int length : lengths) strides.push_back(strides.back() * length);
  return forwarded(group, bytes, static_cast<int>(lengths.size()),
                   [&](int phase, const Block& block) {
                     const int stride = strides[static_cast<std::size_t>(phase)];
                     const int length = lengths[static_cast<std::size_t>(phase)];
                     const int at = group_to_box[static_cast<std::size_t>(block.at)];
                     const int to = group_to_box[static_cast<std::size_t>(block.receiver)];
                     const int moved = at + (to / stride % length - at / stride % length) * stride;
                     return box_to_group[static_cast<std::size_t>(moved)];
                   });
}

}  // namespace

Eigen::MatrixXd pair_bytes(const CollectiveRequest& request, const RankGroup& group,
                           std::size_t group_index) {
  if (!request.traffic.empty()) return request.traffic[group_index];
  const auto n = static_cast<Eigen::Index>(group.size());
  return Eigen::MatrixXd::Constant(n, n, request.size.base() / static_cast<double>(n));
}

Eigen::MatrixXd deduplicated_bytes(const TokenDeduplication& deduplication, std::size_t group_index,
                                   const GroupNodes& nodes, const Eigen::MatrixXd& bytes) {
  const auto num_nodes = static_cast<Eigen::Index>(nodes.members.size());
  if (!deduplication.bytes_to_node.empty()) {
    if (group_index >= deduplication.bytes_to_node.size())
      throw ConfigError(fmt::format("bytes_to_node has {} matrices, but there is a group {}",
                                    deduplication.bytes_to_node.size(), group_index));
    const Eigen::MatrixXd& given = deduplication.bytes_to_node[group_index];
    if (given.rows() != bytes.rows() || given.cols() != num_nodes || !given.allFinite() ||
        (given.array() < 0.0).any())
      throw ConfigError(
          fmt::format("bytes_to_node of group {} must be {} x {} (ranks x nodes), finite and not "
                      "negative; it is {} x {}",
                      group_index, bytes.rows(), num_nodes, given.rows(), given.cols()));
    return given;
  }
  if (!(deduplication.ranks_per_node >= 1.0))
    throw ConfigError(fmt::format("ranks_per_node of a token must be at least 1, got {}",
                                  deduplication.ranks_per_node));
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(bytes.rows(), num_nodes);
  for (Eigen::Index r = 0; r < bytes.cols(); ++r)
    sums.col(nodes.node_of[static_cast<std::size_t>(r)]) += bytes.col(r);
  return sums / deduplication.ranks_per_node;
}

std::vector<Round> all_to_all_rounds(CollectiveAlgorithm algorithm,
                                     const CollectiveRequest& request, const RankGroup& group,
                                     std::size_t group_index, const Topology& topology) {
  if (group.size() < 2) return {};
  const Eigen::MatrixXd bytes = pair_bytes(request, group, group_index);
  switch (algorithm) {
    case CollectiveAlgorithm::kDirect:
      return forwarded(group, bytes, 1, [](int, const Block& block) { return block.receiver; });
    case CollectiveAlgorithm::kPairwise:
      return pairwise(group, bytes);
    case CollectiveAlgorithm::kBruck:
      return bruck(group, bytes);
    case CollectiveAlgorithm::kRing:
      return around_the_ring(group, bytes);
    case CollectiveAlgorithm::kTwoLevel:
      return two_level(group, topology, bytes);
    case CollectiveAlgorithm::kTwoLevelDeduplicated:
      return two_level_deduplicated(request, group, group_index, topology, bytes);
    case CollectiveAlgorithm::kTorus:
      return dimension_ordered(group, topology, bytes);
    default:
      SWITCHYARD_CHECK(false, "all-to-all by {}", algorithm_name(algorithm));
      return {};
  }
}

CollectiveSchedule direct_all_to_all(int num_ranks, Bytes bytes_per_pair) {
  SWITCHYARD_CHECK(num_ranks >= 1 && bytes_per_pair >= Bytes{0}, "{} ranks, {} bytes", num_ranks,
                   bytes_per_pair.base());
  return direct_all_to_all(Eigen::MatrixXd::Constant(num_ranks, num_ranks, bytes_per_pair.base()));
}

CollectiveSchedule direct_all_to_all(const Eigen::Ref<const Eigen::MatrixXd>& bytes) {
  SWITCHYARD_CHECK(bytes.rows() == bytes.cols(), "traffic of shape {}x{}", bytes.rows(),
                   bytes.cols());
  SWITCHYARD_CHECK(bytes.size() == 0 || (bytes.minCoeff() >= 0.0 && bytes.allFinite()),
                   "traffic entries must be finite and not negative");
  Round round;
  for (int source = 0; source < bytes.rows(); ++source) {
    for (int destination = 0; destination < bytes.cols(); ++destination) {
      const Flow flow{RankId{source}, RankId{destination}, Bytes{bytes(source, destination)}};
      if (crosses_network(flow)) round.flows.push_back(flow);
    }
  }
  CollectiveSchedule schedule{.algorithm = "direct", .rounds = {}};
  if (!round.flows.empty()) schedule.rounds.push_back(std::move(round));
  return schedule;
}

}  // namespace switchyard
