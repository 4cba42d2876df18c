#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cost_models/memory.hpp"
#include "cost_models/system.hpp"
#include "sim/core/percentiles.hpp"
#include "sim/engine/class_shares.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/memory_history.hpp"
#include "sim/engine/pipeline_critical_path.hpp"
#include "sim/engine/pipeline_run.hpp"
#include "sim/engine/stack_routing.hpp"
#include "sim/workload/routing/routing_draw.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// A training run to predict.
struct TrainingRunSpec {
  System system;
  TrainingStepSpec step;  ///< microbatch_sequences 0: the largest that fits in memory
  RoutingSpec routing;    ///< of MoE models; its top_k is that of the model (checked)
  /// Routing draws, for the distribution of what depends on them. 0: none, and perfect balance
  /// where a draw would decide sizes.
  int draws = 1;
  std::uint64_t seed = 0;
  /// Of pipelines; none: interleaved where stages have several chunks, else 1F1B.
  std::optional<PipelineScheduleKind> pipeline_schedule{};
  StragglerSpec stragglers{};  ///< of the stages of a pipeline
  Folding folding = Folding::kAllRanks;
};

/// How the stages of a pipeline worked together.
struct PipelineResult {
  PipelineSpec spec;
  PipelineSchedule schedule;
  PipelineRun run;                     ///< of all microbatches, without the update
  std::vector<LayerRange> layers;      ///< by position
  std::vector<MemoryEstimate> memory;  ///< by stage, at its peak
  CriticalPath critical_path;
};

/// The prediction for one training step.
///
/// Where a draw decides sizes (DispatchKind::kPermutation in an MoE model, draws > 0) every draw is
/// executed, and all that is not said to be over draws is of the draw with the median step time
/// (the lower one of two).
struct TrainingResult {
  int num_ranks = 0;
  std::int64_t microbatch_sequences = 0;
  int num_microbatches = 0;
  Seconds step_time;
  Percentiles step_time_over_draws;  ///< seconds; thrice step_time where no draw decides it
  Seconds microbatch_time;
  PerSecond examples_rate;
  /// Model FLOP/s over the peak of all ranks. No recomputation, no padding, and of the experts only
  /// choices that were made and kept (the share of the draw; where none decides the time, the
  /// median): work that nobody did is not credited.
  double mfu = 0;
  MemoryEstimate memory;          ///< of the fullest rank
  Percentiles memory_over_draws;  ///< its total in bytes
  /// By pipeline stage, of its fullest rank during a step; without a pipeline one element, over
  /// the microbatch and the update of `timeline`.
  std::vector<std::vector<MemoryPoint>> memory_over_time;
  bool fits_in_memory = true;   ///< whether `memory` is within what the device leaves to a program
  double fits_probability = 1;  ///< share of the draws that fit
  std::vector<ClassShare> breakdown;  ///< every class that occurs, in the order of OperatorClass
  /// How much shorter the step would be if the host launched without delay, by the closed forms.
  Seconds saved_by_launches;
  Seconds idle;                       ///< of the same rank: waiting for others
  std::vector<StackRouting> routing;  ///< MoE models only
  Bytes busiest_link;                 ///< cables only (LinkPlace::kNetwork), over one step
  Bytes all_to_all_sent;              ///< by one rank in one step, to other ranks; see ClassShare
  std::optional<PipelineResult> pipeline{};  ///< where there are several stages
  /// What was executed: one microbatch, then the update; of a pipeline those of the last chunk of
  /// its busiest stage. Kept for the trace.
  TaskGraph tasks;
  Timeline timeline;
  std::size_t num_microbatch_tasks = 0;  ///< the first of `tasks`; the rest is the update
};

/// Fills in `step.microbatch_sequences` when it is 0.
[[nodiscard]] TrainingStepSpec resolve_microbatch(const TrainingRunSpec& run);

/// Prices every node of a step: what an engine executes. `num_microbatches` copies of the
/// microbatch are laid out one after the other, then the update. Collectives take the algorithms
/// that chosen_algorithm() names.
///
/// With `routing`, operators of routed rows take on each rank what routed_work() says, and each
/// all-to-all of them carries, from rank s to rank d,
///
///   dispatch forward, combine backward   between_ranks(s, d) * row bytes
///   combine forward, dispatch backward   between_ranks(d, s) * row bytes
///
/// Rows that stay on their rank are not sent. Times are those of the devices and links, multiplied
/// by anchor_factor() of their class.
///
/// @param topology  of `system.network`, built.
/// @param routing   rows of each MoE layer, in the order of a forward pass, the same in all
///                  microbatches; empty: perfect balance.
[[nodiscard]] TaskGraph price_step(const StepGraph& graph, const System& system,
                                   const Topology& topology, int num_microbatches,
                                   std::span<const LayerRows> routing = {});

/// As above; builds the network for it.
[[nodiscard]] TaskGraph price_step(const StepGraph& graph, const System& system,
                                   int num_microbatches);

/// Predicts a run. One microbatch is executed and counted num_microbatches times. That is exact for
/// buffers of fixed sizes (kOneHot), whose time no draw changes. With kPermutation it says that all
/// microbatches of a step are routed alike, as they are where popularity decides, and that ranks
/// begin each microbatch together: the busiest rank's lead is not carried over to the next.
///
/// Cost: with kPermutation one execution for each draw and, of more than one, the median again.
/// Precondition: as build_training_step(); num_ranks of the step equals that of the network
/// (checked).
[[nodiscard]] TrainingResult simulate_training(const TrainingRunSpec& run, EngineKind engine);

/// Examples per second by the closed forms alone: simulate_training() with kAnalytic, without its
/// routing draws and breakdown, so in perfect balance.
[[nodiscard]] PerSecond predicted_examples_rate(const TrainingRunSpec& run);

}  // namespace switchyard
