#pragma once

#include <cstdint>
#include <vector>

#include "sim/workload/lowering.hpp"
#include "sim/workload/model_flop.hpp"
#include "sim/workload/model_spec.hpp"
#include "sim/workload/operators.hpp"
#include "sim/workload/routing/capacity.hpp"

namespace switchyard {

/// Capacity and grouping of the MoE layers of a run.
struct MoeRunSpec {
  bool dropless = false;         ///< no capacity; needs lowering.dispatch kPermutation
  double capacity_factor = 1.0;  ///< not of dropless layers
  CapacityRounding rounding = CapacityRounding::kDown;
  std::int64_t group_tokens = 1024;  ///< tokens routed together
  std::int64_t minimum_capacity = 4;
  bool capacity_times_top_k = false;
};

/// Everything that decides the operators of a training step on each of `num_ranks` equal ranks.
///
/// Data parallelism with experts spread over the same ranks: rank r holds experts
/// [r * E / num_ranks, (r + 1) * E / num_ranks) of every MoE layer and a copy of all other weights.
/// Precondition of every function here: num_ranks divides the experts and the sequences,
/// microbatch_sequences divides the sequences of a rank (checked).
struct TrainingStepSpec {
  ModelSpec model;
  SequenceLengths lengths;
  std::int64_t sequences = 0;             ///< of the whole batch
  std::int64_t microbatch_sequences = 1;  ///< on one rank
  int num_ranks = 1;
  Precision precision = Precision::kSelective;
  MoeRunSpec moe;
  LoweringSpec lowering;
};

/// One training step of a rank: `microbatch` repeated, then `update` once. Nodes are in the order
/// in which they run; each depends on the one before it (one stream, collectives not overlapped).
struct StepGraph {
  int num_microbatches = 1;
  std::vector<StepNode> microbatch;
  std::vector<StepNode> update;
};

/// The operators and collectives of one step: forward, loss, backward, gradient accumulation; then
/// the all-reduce of the gradients that every rank holds, and the optimizer.
[[nodiscard]] StepGraph build_training_step(const TrainingStepSpec& spec);

/// One MoE layer's buffers in one microbatch, for a stack with `tokens_per_rank` tokens on each
/// rank.
struct MoeLayerShape {
  TokenGroups groups;         ///< over all ranks
  std::int64_t capacity = 0;  ///< slots per expert and group
  std::int64_t laid_out = 0;  ///< capacity rounded up to the layout's multiple
  double experts_per_rank = 0;
  double effective_capacity_factor = 0;  ///< capacity * E / group_tokens
};
[[nodiscard]] MoeLayerShape moe_layer_shape(const TrainingStepSpec& spec,
                                            std::int64_t tokens_per_rank);

/// Weights that one rank holds: all dense ones and its share of the experts.
[[nodiscard]] double parameters_per_rank(const TrainingStepSpec& spec);

}  // namespace switchyard
