#pragma once

#include <array>
#include <span>

#include "cost_models/device_profile.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/routed_rows.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// Device memory of one rank, by class: an upper bound, as if no class reused another's memory.
struct MemoryEstimate {
  Bytes weights;       ///< master weights, and their copy in the activations' type when narrower
  Bytes gradients;     ///< those of the microbatch and their running sum
  Bytes optimizer;     ///< moments; of Adafactor their row and column means: as good as nothing
  Bytes activations;   ///< what the forward pass keeps for the backward pass
  Bytes recomputed{};  ///< what the backward pass of one layer makes again
  Bytes logits{};      ///< of all targets of a microbatch, and what the loss keeps
  Bytes buffers{};     ///< what the largest all-to-all of routed rows sends and receives

  [[nodiscard]] Bytes total() const {
    return weights + gradients + optimizer + activations + recomputed + logits + buffers;
  }
};

/// The classes by name, in the order of the struct.
struct MemoryClass {
  const char* name;  ///< "weights", ...
  Bytes MemoryEstimate::*bytes;
};
inline constexpr std::array<MemoryClass, 7> kMemoryClasses = {{
    {"weights", &MemoryEstimate::weights},
    {"gradients", &MemoryEstimate::gradients},
    {"optimizer", &MemoryEstimate::optimizer},
    {"activations", &MemoryEstimate::activations},
    {"recomputed", &MemoryEstimate::recomputed},
    {"logits", &MemoryEstimate::logits},
    {"buffers", &MemoryEstimate::buffers},
}};

/// What a rank holds whatever the microbatch: weights, gradients, optimizer.
///
///   weights      held * copy bytes + held * s * master bytes   with a copy in a narrower type
///                held * master bytes                            without one
///   gradients    held * gradient bytes, twice when microbatches are summed by a kernel of their
///                own; of the largest layer alone where LoweringSpec::updates_as_made applies
///   optimizer    held * s * optimizer bytes
///
/// s is the share that zero 1 and above leaves to each of the ranks with equal weights; gradients
/// have it too from zero 2 on, and copies with zero 3, beside the two largest layers whole.
/// Source: Rajbhandari et al., "ZeRO", SC 2020, section 3.
[[nodiscard]] MemoryEstimate state_memory(const TrainingStepSpec& spec);

/// Estimates the memory of a training step as built by build_training_step().
///
///   activations  all `saved` tensors of the forward pass, in the device's layout
///   recomputed   the `recomputed` tensors of the layer with most
///   logits       saved tensors of class kLogits
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

/// The largest microbatch (in sequences, a divisor of a data rank's sequences) of at most
/// lowering.microbatch_tokens input tokens whose memory fits() the device; 1 when none does.
/// `spec.microbatch_sequences` is ignored. Routed rows are those of perfect balance. Precondition:
/// as build_training_step() (checked).
[[nodiscard]] std::int64_t largest_fitting_microbatch(TrainingStepSpec spec,
                                                      const DeviceProfile& device);

}  // namespace switchyard
