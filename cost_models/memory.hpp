#pragma once

#include <span>

#include "cost_models/device_profile.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/routed_rows.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// Device memory of one rank, by class: an upper bound, as if no class reused another's memory.
struct MemoryEstimate {
  Bytes weights;      ///< master weights, and their copy in the activations' type when narrower
  Bytes gradients;    ///< those of the microbatch and their running sum
  Bytes optimizer;    ///< Adafactor's row and column means: what remains of float32 moments
  Bytes activations;  ///< what the forward pass keeps for the backward pass
  Bytes buffers{};    ///< what the largest all-to-all of routed rows sends and receives

  [[nodiscard]] Bytes total() const {
    return weights + gradients + optimizer + activations + buffers;
  }
};

/// Estimates the memory of a training step as built by build_training_step(); no recomputation.
///
///   weights      parameters * (weight bytes + activation bytes when narrower)
///   gradients    parameters * gradient bytes, twice when microbatches are summed
///   optimizer    0: Adafactor's factored moments are below 1 % of the weights
///   activations  all `saved` tensors of the forward pass, in the device's layout
///   buffers      (rows sent + rows received) * bytes of a row, of the MoE layer with most; the
///                fixed buffers of one-hot dispatch are not counted
///
/// @param routing  by MoE layer, the rows of one draw: the estimate is that of the rank with the
///                 largest total. Empty: perfect balance.
[[nodiscard]] MemoryEstimate training_memory(const TrainingStepSpec& spec, const StepGraph& graph,
                                             const DeviceProfile& device,
                                             std::span<const LayerRows> routing = {});

/// Whether the estimate is within the memory that the device leaves to a program.
[[nodiscard]] bool fits(const MemoryEstimate& memory, const DeviceProfile& device);

/// The largest microbatch (in sequences, a divisor of a rank's sequences) of at most
/// lowering.microbatch_tokens input tokens whose memory fits() the device; 1 when none does.
/// `spec.microbatch_sequences` is ignored. Routed rows are those of perfect balance. Precondition:
/// as build_training_step() (checked).
[[nodiscard]] std::int64_t largest_fitting_microbatch(TrainingStepSpec spec,
                                                      const DeviceProfile& device);

}  // namespace switchyard
