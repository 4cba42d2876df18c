#pragma once

#include <vector>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// Rounds of an all-gather of `size` bytes (S, what every rank ends with) over one group. Run the
/// other way (mirrored()) each is a reduce-scatter of S; build_collective() does that.
///
/// On ports of bandwidth B with paths of latency alpha, n ranks:
///
///   ring       T = (n - 1) (alpha + S / (n B))
///   direct     T = alpha + (n - 1)/n S / B                     one round, all pairs
///   bruck      T = ceil(log2 n) alpha + (n - 1)/n S / B        any n
///   recursive  T = log2(n) alpha + (n - 1)/n S / B             n a power of two
///   two-level  T = (N - 1) (alpha_out + S / (n B_out)) + (m - 1) (alpha_up + S / (m B_up))
///              n = N m: rings over N nodes between ranks of equal place, then rings in each node;
///              not pipelined
///   torus      torus_reduce_scatter(), backwards
///
/// @throws ConfigError when the algorithm cannot serve the group.
/// Source: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
///         MPICH", IJHPCA 19(1), 2005; Bruck et al., IEEE TPDS 8(11), 1997.
[[nodiscard]] std::vector<Round> all_gather_rounds(CollectiveAlgorithm algorithm,
                                                   const RankGroup& group, const Topology& topology,
                                                   Bytes size);

/// The reduce-scatter that sends what all_gather_rounds() sends, the other way.
[[nodiscard]] std::vector<Round> reduce_scatter_rounds(CollectiveAlgorithm algorithm,
                                                       const RankGroup& group,
                                                       const Topology& topology, Bytes size);

}  // namespace switchyard
