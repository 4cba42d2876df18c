#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include "sim/core/ids.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/collective_kind.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// How a collective moves its bytes. docs/collectives.md has the closed form of each.
enum class CollectiveAlgorithm {
  kAuto,                  ///< what chosen_algorithm() says
  kDirect,                ///< every rank to every other at once
  kPairwise,              ///< all-to-all in n - 1 rounds, one partner in each
  kBruck,                 ///< all-to-all and all-gather in ceil(log2 n) rounds, with forwarding
  kRing,                  ///< to the next rank only; one ring per rail where a group has nodes
  kTwoLevel,              ///< within nodes, then between ranks of equal place in their nodes
  kTwoLevelDeduplicated,  ///< all-to-all that sends a token once to each node, then forwards it
  kTorus,                 ///< along the rings of a torus, all dimensions at once where it can
  kRecursive,             ///< halving and doubling, log2 n rounds each
  kDoubleBinaryTree,      ///< all-reduce over two trees, each with half of the buffer, in chunks
  kInSwitch,              ///< all-reduce added up by the switch (NVLink SHARP)
};

/// What users write: "auto", "direct", ..., "two-level-deduplicated", "double-binary-tree".
[[nodiscard]] std::string_view algorithm_name(CollectiveAlgorithm algorithm);

/// The algorithm of that name, if there is one.
[[nodiscard]] std::optional<CollectiveAlgorithm> find_algorithm(std::string_view name);

/// "all-to-all", "all-reduce", "all-gather", "reduce-scatter", "point-to-point".
[[nodiscard]] std::string_view kind_name(CollectiveKind kind);

/// The algorithms that can serve a kind, kAuto not among them.
[[nodiscard]] std::span<const CollectiveAlgorithm> algorithms_of(CollectiveKind kind);

/// Ranks that take part, in the order of their places in the buffers.
using RankGroup = std::vector<RankId>;

/// What an all-to-all that sends tokens once per node needs to know beside the traffic between
/// ranks (which counts a token once for each rank it goes to).
struct TokenDeduplication {
  /// Mean number of ranks of a node that a token goes to, given that it goes to that node: at least
  /// 1. The bytes from a rank to a node are its traffic to the node's ranks over this.
  double ranks_per_node = 1.0;
  /// Instead of `ranks_per_node`, by group: bytes from rank (row, as in the group) to node (column,
  /// nodes in the order in which the group first names them); shape (n, nodes).
  std::vector<Eigen::MatrixXd> bytes_to_node{};
  /// False: dispatch. True: combine, where each node adds up what it owes a rank before it sends
  /// it: the mirror image of the dispatch of the transposed traffic (bytes_to_node is then what
  /// the rank of the row receives from the node of the column).
  bool combine = false;
};

/// A collective over one or more groups of ranks at once, all of equal kind and size.
struct CollectiveRequest {
  CollectiveKind kind = CollectiveKind::kAllReduce;
  CollectiveAlgorithm algorithm = CollectiveAlgorithm::kAuto;
  Bytes size{};                     ///< S, as CollectiveKind says
  std::vector<RankGroup> groups{};  ///< disjoint; none: one group of all ranks
  /// All-to-all only: bytes from row = sender to column = receiver (places in the group), one
  /// matrix of shape (n, n) for each group; `size` is then of no matter. The diagonal is not sent.
  std::vector<Eigen::MatrixXd> traffic{};
  std::optional<TokenDeduplication> deduplication{};  ///< of kTwoLevelDeduplicated
  /// Piece that a pipelined algorithm passes on before it has the next: half a MiB, as NCCL's
  /// buffer of 4 MiB (NCCL_BUFFSIZE) is cut in 8 steps.
  Bytes chunk{512.0 * 1024.0};
};

/// The request's groups, or one of all ranks.
/// @throws ConfigError naming the rank or group: a rank outside the network, a rank twice, an empty
///         group, a negative size, traffic of the wrong shape or kind, and what else contradicts.
[[nodiscard]] std::vector<RankGroup> resolved_groups(const CollectiveRequest& request,
                                                     const Topology& topology);

}  // namespace switchyard
