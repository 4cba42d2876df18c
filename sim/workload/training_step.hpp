#pragma once

#include <cstdint>
#include <vector>

#include "sim/workload/lowering.hpp"
#include "sim/workload/model_flop.hpp"
#include "sim/workload/model_spec.hpp"
#include "sim/workload/operators.hpp"
#include "sim/workload/routing/capacity.hpp"
#include "sim/workload/routing/placement.hpp"

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
/// Data parallelism with experts spread over the same ranks: a rank holds the experts that the
/// placement gives it of every MoE layer and a copy of all other weights.
/// Precondition of every function here: num_ranks divides the sequences, and the experts where the
/// placement is not given; microbatch_sequences divides the sequences of a rank. Buffers of fixed
/// size (kOneHot) need a capacity and the same number of experts on each rank, each once. (checked)
struct TrainingStepSpec {
  ModelSpec model;
  SequenceLengths lengths;
  std::int64_t sequences = 0;             ///< of the whole batch
  std::int64_t microbatch_sequences = 1;  ///< on one rank
  int num_ranks = 1;
  Precision precision = Precision::kSelective;
  MoeRunSpec moe;
  LoweringSpec lowering;
  ExpertPlacement placement{};  ///< of every MoE layer; empty ranks_of: contiguous
};

/// One training step of a rank: `microbatch` repeated, then `update` once. Nodes are in the order
/// in which they run; each depends on the one before it (one stream, collectives not overlapped).
struct StepGraph {
  int num_microbatches = 1;
  std::vector<StepNode> microbatch;
  std::vector<StepNode> update;
};

/// The operators and collectives of one step: forward, loss, backward, gradient accumulation; then
/// the all-reduce of the gradients that every rank holds, one among the replicas of each expert
/// that has several, and the optimizer.
/// Where ranks hold different numbers of experts, all do the fixed work of the fullest one
/// (accumulation, optimizer).
[[nodiscard]] StepGraph build_training_step(const TrainingStepSpec& spec);

/// Weights that the fullest rank holds: all dense ones and its experts.
[[nodiscard]] double parameters_per_rank(const TrainingStepSpec& spec);

}  // namespace switchyard
