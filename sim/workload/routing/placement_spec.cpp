#include "sim/workload/routing/placement_spec.hpp"

#include "sim/core/error.hpp"

namespace switchyard {

ExpertPlacement place_experts(const PlacementSpec& spec, std::span<const double> loads,
                              int num_ranks) {
  const auto num_experts = static_cast<int>(loads.size());
  switch (spec.kind) {
    case PlacementKind::kContiguous:
      return contiguous_placement(num_experts, num_ranks);
    case PlacementKind::kRoundRobin:
      return round_robin_placement(num_experts, num_ranks);
    case PlacementKind::kReplicated:
      return replicated_placement(loads, num_ranks, spec.extra_slots);
    case PlacementKind::kGiven:
      break;
  }
  SWITCHYARD_CHECK(spec.given.size() == loads.size(), "{} experts placed, {} there are",
                   spec.given.size(), loads.size());
  for (const auto& ranks : spec.given) {
    SWITCHYARD_CHECK(!ranks.empty(), "an expert without a rank");
    for (const RankId rank : ranks)
      SWITCHYARD_CHECK(rank.value() >= 0 && rank.value() < num_ranks, "rank {} of {}", rank.value(),
                       num_ranks);
  }
  return {.num_ranks = num_ranks, .ranks_of = spec.given};
}

}  // namespace switchyard
