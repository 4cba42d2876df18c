#pragma once

#include "cost_models/build_collective.hpp"

namespace switchyard {

/// Time of a collective by the alpha-beta formula of its algorithm: those in all_to_all.hpp,
/// all_reduce.hpp, gather_scatter.hpp, ring.hpp and torus_rings.hpp, and
///
///   point-to-point              T = alpha + S / B
///   ring over N nodes of m      T = 2 (n - 1) (max(alpha_up, alpha_out)
///                                   + max((m - 1)/m S / (n B_up), S / (m n B_out)))
///                               (an all-gather or reduce-scatter: half of it)
///   torus, C cores a router     T = 2 (alpha_chip + (C - 1)/C S / B_chip + TorusPlan::time)
///   direct all-to-all-v         T = alpha + max(largest row sum, largest column sum) / B
///   pairwise all-to-all-v       T = sum over rounds k of (alpha + max over i of m(i, i + k) / B)
///
/// where alpha and B are the longest latency and the narrowest link of the paths between
/// neighbouring ranks of a group (_up within nodes, _out between). They know each rank's own ports
/// and nothing else of the network, so they are what a star of links gives exactly; several groups
/// count as the slowest of them.
///
/// There is no simple formula, and the time is schedule_time() of the schedule, for
///   - all algorithms but "torus" on a torus, where paths share cables; several groups there
///   - all-to-all in two levels, along dimensions, and all but direct and pairwise with a matrix
///   - direct, pairwise, bruck, recursive, double-binary-tree over several nodes
///   - rings and two levels over nodes with unequal numbers of ranks.
///
/// The formula of the double binary tree charges full rounds while the pipeline fills and drains:
/// it is up to (2 (2 D - 1)) / (K - 2 D + 1) too slow in its bandwidth term. Simulated, ranks
/// drift apart and share ports between rounds: on a star of 8 it takes 21 % longer than the
/// formula. Edge: groups of one rank and zero bytes cost nothing.
/// @throws ConfigError as build_collective().
[[nodiscard]] Seconds closed_form_time(const CollectiveRequest& request, const Topology& topology,
                                       const AlgorithmThresholds& thresholds = {});

}  // namespace switchyard
