#include "cost_models/collective_request.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using enum CollectiveAlgorithm;

constexpr std::array<std::string_view, 11> kAlgorithmNames{"auto",
                                                           "direct",
                                                           "pairwise",
                                                           "bruck",
                                                           "ring",
                                                           "two-level",
                                                           "two-level-deduplicated",
                                                           "torus",
                                                           "recursive",
                                                           "double-binary-tree",
                                                           "in-switch"};

constexpr std::array kAllToAllAlgorithms{
    kDirect, kPairwise, kBruck, kRing, kTwoLevel, kTwoLevelDeduplicated, kTorus};
constexpr std::array kAllReduceAlgorithms{kRing,     kTorus,   kRecursive, kDoubleBinaryTree,
                                          kTwoLevel, kInSwitch};
constexpr std::array kAllGatherAlgorithms{kRing, kDirect, kBruck, kRecursive, kTorus, kTwoLevel};
constexpr std::array kReduceScatterAlgorithms{kRing, kDirect, kRecursive, kTorus, kTwoLevel};
constexpr std::array kPointToPointAlgorithms{kDirect};

void check_groups(const std::vector<RankGroup>& groups, const Topology& topology) {
  std::vector<int> group_of(topology.ranks.size(), -1);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].empty()) throw ConfigError(fmt::format("group {} has no ranks", g));
    for (const RankId rank : groups[g]) {
      if (rank.value() < 0 || rank.index() >= group_of.size())
        throw ConfigError(fmt::format("group {} names rank {}, but {} has ranks 0 to {}", g,
                                      rank.value(), topology.name, std::ssize(group_of) - 1));
      int& owner = group_of[rank.index()];
      if (owner >= 0)
        throw ConfigError(owner == static_cast<int>(g)
                              ? fmt::format("group {} names rank {} twice", g, rank.value())
                              : fmt::format("rank {} is in groups {} and {}: groups that run at "
                                            "once must have no rank in common",
                                            rank.value(), owner, g));
      owner = static_cast<int>(g);
    }
  }
}

bool is_usable(const Eigen::MatrixXd& bytes) {
  return bytes.size() == 0 || (bytes.allFinite() && bytes.minCoeff() >= 0.0);
}

void check_traffic(const CollectiveRequest& request, const std::vector<RankGroup>& groups) {
  if (request.traffic.empty()) return;
  if (request.kind != CollectiveKind::kAllToAll)
    throw ConfigError(fmt::format("a traffic matrix is for an all-to-all; this is an {}",
                                  kind_name(request.kind)));
  if (request.traffic.size() != groups.size())
    throw ConfigError(fmt::format("{} traffic matrices for {} groups: give one for each",
                                  request.traffic.size(), groups.size()));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Eigen::MatrixXd& bytes = request.traffic[g];
    if (bytes.rows() != std::ssize(groups[g]) || bytes.cols() != std::ssize(groups[g]))
      throw ConfigError(
          fmt::format("the traffic matrix of group {} is {} x {}, but the group has "
                      "{} ranks",
                      g, bytes.rows(), bytes.cols(), groups[g].size()));
    if (!is_usable(bytes))
      throw ConfigError(
          fmt::format("the traffic matrix of group {} must be finite and not negative", g));
  }
}

}  // namespace

std::string_view algorithm_name(CollectiveAlgorithm algorithm) {
  return kAlgorithmNames.at(static_cast<std::size_t>(algorithm));
}

std::optional<CollectiveAlgorithm> find_algorithm(std::string_view name) {
  const auto* const place = std::ranges::find(kAlgorithmNames, name);
  if (place == kAlgorithmNames.end()) return std::nullopt;
  return static_cast<CollectiveAlgorithm>(place - kAlgorithmNames.begin());
}

std::string_view kind_name(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kAllToAll:
      return "all-to-all";
    case CollectiveKind::kAllReduce:
      return "all-reduce";
    case CollectiveKind::kAllGather:
      return "all-gather";
    case CollectiveKind::kReduceScatter:
      return "reduce-scatter";
    case CollectiveKind::kPointToPoint:
      return "point-to-point";
  }
  SWITCHYARD_CHECK(false, "collective kind {}", static_cast<int>(kind));
  return {};
}

std::span<const CollectiveAlgorithm> algorithms_of(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kAllToAll:
      return kAllToAllAlgorithms;
    case CollectiveKind::kAllReduce:
      return kAllReduceAlgorithms;
    case CollectiveKind::kAllGather:
      return kAllGatherAlgorithms;
    case CollectiveKind::kReduceScatter:
      return kReduceScatterAlgorithms;
    case CollectiveKind::kPointToPoint:
      return kPointToPointAlgorithms;
  }
  SWITCHYARD_CHECK(false, "collective kind {}", static_cast<int>(kind));
  return {};
}

std::vector<RankGroup> resolved_groups(const CollectiveRequest& request, const Topology& topology) {
  if (!(request.size >= Bytes{0}) || !std::isfinite(request.size.base()))
    throw ConfigError(
        fmt::format("the size of a collective must be finite and not negative, got "
                    "{} bytes",
                    request.size.base()));
  if (!(request.chunk > Bytes{0}))
    throw ConfigError(fmt::format("the chunk of a collective must be positive, got {} bytes",
                                  request.chunk.base()));
  std::vector<RankGroup> groups = request.groups;
  if (groups.empty()) {
    groups.emplace_back();
    for (int rank = 0; rank < num_ranks(topology); ++rank) groups[0].emplace_back(rank);
  }
  check_groups(groups, topology);
  check_traffic(request, groups);
  return groups;
}

}  // namespace switchyard
