#pragma once

#include <vector>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// Rounds of an all-reduce of `request.size` bytes (S) over one group of n ranks.
///
/// On ports of bandwidth B with paths of latency alpha:
///
///   ring                T = 2 (n - 1) (alpha + S / (n B))
///   recursive           T = 2 log2(p) alpha + 2 (p - 1)/p S / B, p = largest power of two <= n;
///                       if n > p, the first 2 (n - p) ranks pair up, one gives S to the other and
///                       gets the result back: + 2 (alpha + S / B)
///   two-level           a ring reduce-scatter in each node (m ranks), ring all-reduces over the N
///                       nodes between ranks of equal place, a ring all-gather in each node; not
///                       pipelined:
///                       T = 2 (m - 1) (alpha_up + S / (m B_up)) + 2 (N - 1) (alpha_out + S / (n
///                       B_out))
///   double-binary-tree  two trees of depth <= D, each with half of the buffer in K equal chunks of
///                       at most request.chunk; tree_parents().
///                       A chunk climbs D edges and comes down D, K of them one behind the other;
///                       with e <= 4 edges at a rank (both trees)
///                       T <= (K + 2 D - 1) (alpha + e/2 S / (K B))
///                       Between nodes: one tree pair for each rail, chains within the nodes.
///   in-switch           S up and S down through every port, sums made by the switch, as one round
///                       of S from each rank to the next, whose loads on the ports are the same:
///                       T = 2 alpha + S / B     (up, then down; the bytes are pipelined)
///   torus               torus_reduce_scatter() and back; see TorusPlan
///
/// @throws ConfigError when the algorithm cannot serve the group.
/// Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005; Sanders, Speck, Traeff, "Two-tree
///         algorithms for full bandwidth broadcast, reduction and scan", Parallel Computing 35(12),
///         2009, with the trees of NCCL (src/graph/trees.cc); Klenk et al., "An In-Network
///         Architecture for Accelerating Shared-Memory Multiprocessor Collectives", ISCA 2020.
[[nodiscard]] std::vector<Round> all_reduce_rounds(CollectiveAlgorithm algorithm,
                                                   const CollectiveRequest& request,
                                                   const RankGroup& group,
                                                   const Topology& topology);

/// Whether the switch above the group can add up what its ranks send.
[[nodiscard]] bool can_reduce_in_switch(const RankGroup& group, const Topology& topology);

}  // namespace switchyard
