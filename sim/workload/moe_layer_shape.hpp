#pragma once

#include <cstdint>

#include "sim/workload/routing/capacity.hpp"
#include "sim/workload/routing/placement.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// The placement, contiguous where none is given.
[[nodiscard]] ExpertPlacement resolved_placement(const TrainingStepSpec& spec);

/// Experts that the fullest rank holds, replicas counted.
[[nodiscard]] int experts_of_fullest_rank(const TrainingStepSpec& spec);

/// One MoE layer's buffers in one microbatch, for a stack with `tokens_per_rank` tokens on each
/// rank.
struct MoeLayerShape {
  TokenGroups groups;           ///< over all ranks
  std::int64_t capacity = 0;    ///< slots per expert and group; dropless: kUnlimitedSlots
  std::int64_t laid_out = 0;    ///< capacity rounded up to the layout's multiple; kOneHot only
  double experts_per_rank = 0;  ///< of the fullest rank
  double effective_capacity_factor = 0;  ///< capacity * E / group_tokens; infinite when dropless
  /// Choices of a rank's tokens that are kept when all experts are chosen equally often: tokens *
  /// top_k, or all slots if those are fewer.
  std::int64_t balanced_rows = 0;
};
[[nodiscard]] MoeLayerShape moe_layer_shape(const TrainingStepSpec& spec,
                                            std::int64_t tokens_per_rank);

/// How the slots of an expert are counted in this run.
[[nodiscard]] CapacitySpec capacity_spec(const TrainingStepSpec& spec);

}  // namespace switchyard
