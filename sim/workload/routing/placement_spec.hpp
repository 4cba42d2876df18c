#pragma once

#include <span>
#include <vector>

#include "sim/workload/routing/placement.hpp"

namespace switchyard {

enum class PlacementKind {
  kContiguous,  ///< contiguous_placement()
  kRoundRobin,  ///< round_robin_placement()
  kReplicated,  ///< replicated_placement() for the popularity of each layer
  kGiven,
};

/// How experts are laid over the ranks of the expert axis.
struct PlacementSpec {
  PlacementKind kind = PlacementKind::kContiguous;
  int extra_slots = 0;                       ///< kReplicated: places beyond one for each expert
  std::vector<std::vector<RankId>> given{};  ///< kGiven: ranks of each expert
};

/// The placement of one layer.
/// @param loads  expected load by expert; used by kReplicated alone
/// Precondition: as the functions of placement.hpp; `given` has every expert, ranks in range
/// (checked).
[[nodiscard]] ExpertPlacement place_experts(const PlacementSpec& spec,
                                            std::span<const double> loads, int num_ranks);

}  // namespace switchyard
