#pragma once

#include <vector>

#include <Eigen/Core>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"
#include "cost_models/group_nodes.hpp"

namespace switchyard {

/// Rounds of an all-to-all over group number `group_index` of `request`.
///
/// n ranks send m = S / n to each other one. On ports of bandwidth B with paths of latency alpha:
///
///   direct     T = alpha + (n - 1) m / B              one round, all messages at once
///   pairwise   T = (n - 1) (alpha + m / B)            round k: to the rank k places on
///   bruck      T = ceil(log2 n) alpha + (sum over bits of n/2 m, less for n no power of two) / B
///              block to the rank d places on moves by 2^k in round k when bit k of d is set;
///              n a power of two: log2(n) (alpha + n/2 m / B)
///   ring       T = (n - 1) alpha + n (n - 1)/2 m / B  to the next rank only: n - k blocks in
///              round k
///   two-level  n = N nodes of M ranks: within the node, all data for the ranks of place j goes to
///              the node's rank of place j; then between ranks of equal place:
///              T = alpha_up + (M - 1) N m / B_up + alpha_out + (N - 1) M m / B_out
///              Ranks talk to (M - 1) + (N - 1) others instead of n - 1.
///   two-level-deduplicated
///              a token goes once to each node it is meant for, to the rank of the sender's place
///              there, which forwards it to those ranks of its node that want it (what is for the
///              own node goes in the second round too). With d ranks per node that want a token:
///              T = alpha_out + (N - 1) M m / (d B_out) + alpha_up + (at most (n - 1) m) / B_up
///   torus      a box: among the cores of a router, then along x, y, z in turn, each rank sends to
///              every rank of its ring all it has for what lies behind it: S / L_d to each of
///              L_d - 1. On closed rings of L_d a multiple of 4, one core, no latency:
///              T = sum over d of S L_d / (8 b_d); direct uses all dimensions at once and takes
///              the largest summand, so it is faster unless there are too many messages.
///
/// With a traffic matrix each algorithm moves the matrix's bytes the same way.
/// @throws ConfigError when the algorithm cannot serve the group.
/// Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005; Bruck et al., IEEE TPDS 8(11), 1997;
///         DeepSeek-AI, DeepEP (dispatch between nodes by RDMA, then NVLink); NCCL PXN (two-level).
[[nodiscard]] std::vector<Round> all_to_all_rounds(CollectiveAlgorithm algorithm,
                                                   const CollectiveRequest& request,
                                                   const RankGroup& group, std::size_t group_index,
                                                   const Topology& topology);

/// Bytes between the places of group number `group_index`; shape (n, n), row = sender.
[[nodiscard]] Eigen::MatrixXd pair_bytes(const CollectiveRequest& request, const RankGroup& group,
                                         std::size_t group_index);

/// Bytes from rank (row) to node (column) with each token once, `bytes` being those between ranks
/// in the direction of the dispatch. @throws ConfigError when the request's figures cannot be.
[[nodiscard]] Eigen::MatrixXd deduplicated_bytes(const TokenDeduplication& deduplication,
                                                 std::size_t group_index, const GroupNodes& nodes,
                                                 const Eigen::MatrixXd& bytes);

/// All-to-all in one round: every rank sends `bytes_per_pair` to every other rank at once.
/// Edge: one rank or zero bytes gives a schedule without rounds, which costs nothing.
[[nodiscard]] CollectiveSchedule direct_all_to_all(int num_ranks, Bytes bytes_per_pair);

/// All-to-all in one round with a size for each pair (MoE dispatch and combine).
///
/// @param bytes  bytes from row = sender to column = receiver; shape (num_ranks, num_ranks). The
///               diagonal stays on its rank and is not sent; zero entries are no messages.
/// Precondition: square, finite and not negative (checked).
[[nodiscard]] CollectiveSchedule direct_all_to_all(const Eigen::Ref<const Eigen::MatrixXd>& bytes);

}  // namespace switchyard
