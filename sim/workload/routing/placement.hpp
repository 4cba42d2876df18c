#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "sim/core/ids.hpp"

namespace switchyard {

/// Which ranks hold each expert. Every expert has at least one; a rank holds an expert once.
struct ExpertPlacement {
  int num_ranks = 1;
  std::vector<std::vector<RankId>> ranks_of;  ///< by expert, ascending
};

/// Expert e on rank e * num_ranks / num_experts: neighbours together.
[[nodiscard]] ExpertPlacement contiguous_placement(int num_experts, int num_ranks);

/// Expert e on rank e mod num_ranks.
[[nodiscard]] ExpertPlacement round_robin_placement(int num_experts, int num_ranks);

/// Hot experts on several ranks: `extra_slots` more places than experts in all, one after the other
/// given to the expert with the largest load per replica; then replicas are packed, heaviest first,
/// each to the rank with the least load that has room ((num_experts + extra_slots) / num_ranks
/// places each) and does not hold the expert yet. Where only ranks that hold it have room, such a
/// rank takes over an expert of one that does not.
/// @param loads  expected load by expert, not negative
/// Precondition: num_ranks divides num_experts + extra_slots, and extra_slots is at most
/// num_experts * (num_ranks - 1): a rank holds an expert once (checked).
/// Cost: O(places * (num_ranks + places per rank)).
/// Source: DeepSeek-AI, EPLB (the greedy packing of its global policy).
[[nodiscard]] ExpertPlacement replicated_placement(std::span<const double> loads, int num_ranks,
                                                   int extra_slots);

/// The replica of `expert` that tokens of `source` go to: on the source itself if there is one,
/// else number (source mod replicas).
[[nodiscard]] RankId replica_for(const ExpertPlacement& placement, int expert, RankId source);

}  // namespace switchyard
