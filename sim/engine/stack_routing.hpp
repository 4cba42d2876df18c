#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/core/percentiles.hpp"
#include "sim/workload/moe_layer_shape.hpp"
#include "sim/workload/routed_rows.hpp"
#include "sim/workload/routing/routing_draw.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// A stack that has MoE layers.
struct RoutedStack {
  std::string name;      ///< "encoder" or "decoder"
  std::uint64_t id = 0;  ///< of RoutingStream
  int num_layers = 0;    ///< MoE or not
  std::int64_t tokens_per_sequence = 0;
};

[[nodiscard]] std::vector<RoutedStack> routed_stacks(const TrainingStepSpec& step);

/// The tokens and slots of one microbatch of a stack. Slots are counted for each group, or with
/// SlotScope::kGlobal once for all tokens.
[[nodiscard]] RoutingShape routing_shape(const TrainingStepSpec& step, const RoutedStack& stack,
                                         SlotScope scope);

/// What happens to tokens in the MoE layers of one stack: over draws, each the mean over layers.
struct StackRouting {
  std::string stack;  ///< "encoder" or "decoder"
  MoeLayerShape shape;
  Percentiles dropped_fraction;               ///< of the choices made
  Percentiles padding_fraction;               ///< of the slots
  Percentiles expert_imbalance;               ///< busiest over mean, of the choices made
  Percentiles rank_imbalance{};               ///< busiest over mean, of the rows that ranks receive
  Percentiles worst_rank_dropped_fraction{};  ///< of the rank that loses most of its choices
  Percentiles experts_touched{};              ///< that at least one token of all ranks reaches
  Percentiles choices_per_token{};            ///< made, whether kept or not
};

/// One draw of the MoE layers of one stack: means over them.
struct StackDraw {
  std::int64_t tokens_per_sequence = 0;
  int num_layers = 0;  ///< all layers of the stack, MoE or not
  double dropped_fraction = 0;
  double padding_fraction = 0;
  double expert_imbalance = 0;
  double rank_imbalance = 0;
  double worst_rank_dropped_fraction = 0;
  double experts_touched = 0;
  double choices_per_token = 0;
  double kept_per_token = 0;
};

/// One draw of all MoE layers of a microbatch.
struct StepDraw {
  std::vector<StackDraw> stacks;  ///< encoder and decoder, those that have MoE layers
  std::vector<LayerRows> layers;  ///< in the order of a forward pass; only where asked for
};

/// Where tokens go, and which random numbers say so.
struct StepRoutingSpec {
  RoutingSpec routing;
  std::uint64_t seed = 0;
  bool with_rows = false;  ///< fill StepDraw::layers
};

/// Draws the routing of one microbatch of every MoE layer. Precondition: an MoE model (checked).
/// Memory: O(experts * ranks) for each MoE layer of a stack, and with rows O(ranks^2).
[[nodiscard]] StepDraw draw_step(const TrainingStepSpec& step, const StepRoutingSpec& spec,
                                 std::uint64_t draw);

/// The distribution over draws. Precondition: at least one (checked).
[[nodiscard]] std::vector<StackRouting> summarize(const TrainingStepSpec& step,
                                                  std::span<const StepDraw> draws);

}  // namespace switchyard
