#pragma once

#include "cost_models/algorithm_thresholds.hpp"
#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// The algorithm that `request` names, or for kAuto the one a library would choose:
///
///   on a torus    all-reduce, all-gather, reduce-scatter: torus where all groups are boxes, else
///                 ring. All-to-all: direct, its links are busy all the time
///   elsewhere     all-reduce: in-switch where the switches can and S >= in_switch_from;
///                 else double-binary-tree or ring, whichever schedule_time() has as the faster on
///                 this network (as NCCL's tuner does with its own model). Two ranks: ring.
///                 All-gather, reduce-scatter: ring, or if faster direct within a domain (NCCL's
///                 NVLS) and recursive over several (its PAT). All-to-all: direct, or
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
