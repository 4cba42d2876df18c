#pragma once

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// Sizes at which "auto" changes its mind. All assumed: NCCL decides by tables of latencies and
/// bandwidths of each generation (src/graph/tuning.cc); these are round figures for its outcome on
/// H100 nodes. S is the request's size.
struct AlgorithmThresholds {
  /// All-reduce below it: two trees, whose rounds grow with log n; else ring.
  Bytes tree_below{1024.0 * 1024.0};
  /// All-reduce from it on: by the switch, where it can (NVLS); three ranks or more.
  Bytes in_switch_from{64.0 * 1024.0};
};

/// The algorithm that `request` names, or for kAuto the one a library would choose:
///
///   on a torus    all-reduce, all-gather, reduce-scatter: torus where all groups are boxes, else
///                 ring. All-to-all: direct, its links are busy all the time
///   elsewhere     all-reduce: in-switch where the switches can and S >= in_switch_from;
///                 double-binary-tree for S < tree_below; ring. Two ranks: ring.
///                 All-gather, reduce-scatter: ring. All-to-all: direct, or
///                 two-level-deduplicated where the request says how tokens repeat.
///   anywhere      point-to-point: direct
///
/// @throws ConfigError as build_collective(), but for what the algorithm asks of the network.
/// Source: NCCL 2.19 and later, src/graph/tuning.cc (NVLS above ring above tree by size),
/// all-to-all
///         as grouped sends and receives (nccl-tests).
[[nodiscard]] CollectiveAlgorithm chosen_algorithm(const CollectiveRequest& request,
                                                   const Topology& topology,
                                                   const AlgorithmThresholds& thresholds = {});

/// The schedule of a collective on the ranks of `topology`; its `algorithm` says which was taken.
/// Groups run at once: round k of all groups is one round, but no rank waits for another group.
/// Edge: groups of one rank and zero bytes have no rounds.
/// @throws ConfigError saying what to do instead when the request contradicts itself or the network
///         (resolved_groups()) or the algorithm cannot serve it.
[[nodiscard]] CollectiveSchedule build_collective(const CollectiveRequest& request,
                                                  const Topology& topology,
                                                  const AlgorithmThresholds& thresholds = {});

}  // namespace switchyard
