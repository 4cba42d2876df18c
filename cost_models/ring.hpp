#pragma once

#include <vector>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// What the ranks of a group send in one step of a ring when each passes on `bytes` in all.
///
/// A group in one node is one ring in its order. Over several nodes there are c rings (channels),
/// each with 1/c of the bytes, c = ranks of the node with the fewest, as NCCL lays one over every
/// rail: ring i enters the first node at its rank i, visits its ranks upwards and leaves at rank
/// i - 1, whose rail it keeps into the next node, which it visits downwards, and so on. So every
/// rank's network port sends and receives bytes / c. (With an odd number of nodes, the step from
/// the last node to the first changes rails.)
/// Source: NCCL, src/graph (rings of rail-aligned channels, NCCL_CROSS_NIC=0); order of ranks
///         within a node is ours.
[[nodiscard]] std::vector<Flow> ring_step(const RankGroup& group, const Topology& topology,
                                          Bytes bytes);

/// Ring reduce-scatter or all-gather: n - 1 rounds of S / n. On ports of bandwidth B with paths of
/// latency alpha:
///
///   T = (n - 1) (alpha + S / (n B))
///
/// @param num_passes  1; 2 for the all-reduce: 2 (n - 1) (alpha + S / (n B)).
/// Source: Patarasuk, Yuan, JPDC 69(2), 2009.
[[nodiscard]] std::vector<Round> ring_rounds(const RankGroup& group, const Topology& topology,
                                             Bytes size, int num_passes);

}  // namespace switchyard
