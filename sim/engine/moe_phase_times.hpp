#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "sim/engine/training_run.hpp"

namespace switchyard {

/// What the time of an MoE layer is made of, as a real run measures it.
enum class MoePhase { kRouter, kDispatch, kAllToAll, kExperts, kTensorSums };
inline constexpr int kNumMoePhases = 5;

/// "router", "dispatch", "all-to-all", "experts", "tensor sums".
[[nodiscard]] std::string_view phase_name(MoePhase phase);

/// Predicted times of the MoE layers of one stack in one microbatch, on one rank.
struct MoePhaseTimes {
  int num_layers = 0;
  std::array<Seconds, kNumMoePhases> forward{};
  std::array<Seconds, kNumMoePhases> backward{};
  Seconds gradient_sums;  ///< of the experts, over their replicas, once a step
  Bytes all_to_all_sent;  ///< by one rank, forward and backward
  /// Where each phase's times come from, the worst of them; none for a phase without any.
  std::array<std::optional<Provenance>, kNumMoePhases> provenance{};
  /// Sums of the ends of the kernels' 90 % intervals, forward and backward; what has no interval
  /// counts as it is. Wider than the sum's interval, as far as errors of kernels differ.
  std::array<Seconds, 2> low{};
  std::array<Seconds, 2> high{};
};

/// Prices the MoE layers of the encoder, or of a decoder-only model, by the closed forms, each
/// operator on its busiest rank. The norm before a layer is not counted, nor is anything that
/// overlaps hidden.
/// @param routing  rows of each MoE layer of all stacks, in the order of a forward pass; empty:
///                 perfect balance
/// Precondition: as simulate_training(); the model has experts.
[[nodiscard]] MoePhaseTimes moe_phase_times(const TrainingRunSpec& run,
                                            std::span<const LayerRows> routing = {});

}  // namespace switchyard
