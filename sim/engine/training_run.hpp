#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost_models/memory.hpp"
#include "cost_models/system.hpp"
#include "sim/core/percentiles.hpp"
#include "sim/engine/engine.hpp"
#include "sim/workload/routing/routing_draw.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// A training run to predict.
struct TrainingRunSpec {
  System system;
  TrainingStepSpec step;  ///< microbatch_sequences 0: the largest that fits in memory
  RoutingSpec routing;    ///< of MoE models; its top_k is that of the model (checked)
  int draws = 1;          ///< routing draws, for the distribution of what is dropped
  std::uint64_t seed = 0;
};

/// Time, work and traffic of one operator class in one step of one rank.
struct ClassShare {
  OperatorClass operator_class = OperatorClass::kAttention;
  Seconds time;
  Flop flop;        ///< of products; experts and einsums work on all laid-out slots, empty or not
  Bytes memory;     ///< read and written, with padding
  Bytes sent;       ///< to other ranks, by collectives
  Seconds bound{};  ///< of collectives: the sum of their proven bounds; time / bound is >= 1 alone
};

/// What happens to tokens in the MoE layers of one stack.
struct StackRouting {
  std::string stack;  ///< "encoder" or "decoder"
  MoeLayerShape shape;
  Percentiles dropped_fraction;
  Percentiles padding_fraction;
  Percentiles expert_imbalance;
};

/// The prediction for one training step.
struct TrainingResult {
  std::int64_t microbatch_sequences = 0;
  int num_microbatches = 0;
  Seconds step_time;
  Seconds microbatch_time;
  PerSecond examples_rate;
  /// Model FLOP/s over the peak of all ranks. No recomputation, no padding, and no choice of expert
  /// that was dropped (its median share over the draws): work that nobody did is not credited.
  double mfu = 0;
  MemoryEstimate memory;
  bool fits_in_memory = true;  ///< whether `memory` is within what the device leaves to a program
  std::vector<ClassShare> breakdown;  ///< every class that occurs, in the order of OperatorClass
  Seconds idle;                       ///< of rank 0: waiting with neither compute nor a collective
  std::vector<StackRouting> routing;  ///< MoE models only
  Bytes busiest_link;                 ///< cables only (LinkPlace::kNetwork), over one step
  Bytes all_to_all_sent;              ///< by one rank in one step, to other ranks
  /// What was executed: one microbatch, then the update. Kept for the trace.
  TaskGraph tasks;
  Timeline timeline;
};

/// Fills in `step.microbatch_sequences` when it is 0.
[[nodiscard]] TrainingStepSpec resolve_microbatch(const TrainingRunSpec& run);

/// Prices every node of a step: what an engine executes. `num_microbatches` copies of the
/// microbatch are laid out one after the other, then the update. Collectives take the algorithms
/// that chosen_algorithm() names.
/// @param topology  of `system.network`, built.
[[nodiscard]] TaskGraph price_step(const StepGraph& graph, const System& system,
                                   const Topology& topology, int num_microbatches);

/// As above; builds the network for it.
[[nodiscard]] TaskGraph price_step(const StepGraph& graph, const System& system,
                                   int num_microbatches);

/// Predicts a run. All microbatches of a step take the same time, because the buffers have fixed
/// sizes whatever the routing draw: one is executed and counted num_microbatches times.
/// Precondition: as build_training_step(); num_ranks of the step equals that of the torus
/// (checked).
[[nodiscard]] TrainingResult simulate_training(const TrainingRunSpec& run, EngineKind engine);

/// Examples per second by the closed forms alone: simulate_training() with kAnalytic, without its
/// routing draws and breakdown.
[[nodiscard]] PerSecond predicted_examples_rate(const TrainingRunSpec& run);

}  // namespace switchyard
