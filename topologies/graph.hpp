#pragma once

#include <string>
#include <vector>

#include "topologies/path_choice.hpp"
#include "topologies/spec_problem.hpp"

namespace switchyard {

/// kFull: both directions, each with the bandwidth. kHalf: both directions share it. kOneWay: from
/// `from` to `to` only.
enum class Duplex { kFull, kHalf, kOneWay };

/// A network given node by node and link by link.
struct GraphSpec {
  struct Node {
    std::string name;
    NodeKind kind = NodeKind::kRank;  ///< ranks are numbered in the order in which they come
    int domain = 0;                   ///< of ranks: Topology::scale_up_domain
  };
  struct Link {
    std::string from;
    std::string to;
    LinkSpec link;
    Duplex duplex = Duplex::kFull;
  };
  std::vector<Node> nodes;
  std::vector<Link> links;
  PathChoiceSpec choice;
};

/// What cannot be built, a pair of ranks that no links join included.
[[nodiscard]] SpecProblems problems(const GraphSpec& spec);

/// Builds the network with paths of the fewest links (ShortestPaths); ranks pass messages on.
/// The direction a to b is called "a->b", the shared one of a half-duplex link "a--b".
/// @throws ConfigError naming every problem.
[[nodiscard]] Topology build_graph(const GraphSpec& spec);

[[nodiscard]] int num_ranks(const GraphSpec& spec);

}  // namespace switchyard
