#pragma once

#include <cstdint>
#include <vector>

#include "topologies/path_choice.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// Paths with the fewest links through any network, found by a breadth-first search from each rank.
/// Where several next nodes are equally near, the choice is as PathChoice says, made anew at every
/// node. Ranks that do not forward are only ends. Needs 2 bytes for each node and rank.
class ShortestPaths {
 public:
  ShortestPaths(const Topology& topology, const PathChoiceSpec& choice);

  [[nodiscard]] bool reaches(RankId source, RankId destination) const;

  /// Precondition: reaches(source, destination) (checked).
  void append(RankId source, RankId destination, std::vector<LinkId>& links) const;

 private:
  struct Step {
    std::uint32_t node;
    LinkId link;
  };
  static constexpr std::uint16_t kFar = 0xffff;

  [[nodiscard]] std::uint16_t distance(std::size_t node, RankId destination) const {
    return distances_[destination.index() * num_nodes_ + node];
  }
  [[nodiscard]] bool leads_to(const Step& step, RankId destination, std::uint16_t distance) const;
  void search_from(std::size_t destination, const std::vector<std::vector<std::uint32_t>>& before);

  PathChoiceSpec choice_;
  std::size_t num_nodes_;
  std::vector<std::uint32_t> ranks_;
  std::vector<bool> forwards_;            ///< by node
  std::vector<std::uint32_t> first_;      ///< by node: its steps_ begin here
  std::vector<Step> steps_;               ///< links out of each node
  std::vector<std::uint16_t> distances_;  ///< links to a rank, by rank and node
};

/// Two ranks of which the first cannot send to the second.
struct DisconnectedPair {
  RankId source;
  RankId destination;
};

/// The first pair in the order of ranks that no path joins; nullopt when all are joined.
[[nodiscard]] std::optional<DisconnectedPair> find_disconnected(const Topology& topology,
                                                                const ShortestPaths& paths);

}  // namespace switchyard
