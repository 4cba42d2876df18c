#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/layer/dispatch_plan.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/routing.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// The layer in double, as it is defined: one loop for each sum, one thread. Shapes as in
/// MoeWeights with GluLayout::kGateThenUp, whatever the spec's precision.
struct ReferenceWeights {
  std::vector<double> router;  ///< (E, d_model)
  std::vector<double> w1;      ///< (E, N1, d_model)
  std::vector<double> w2;      ///< (E, d_model, d_ff)
};

struct ReferenceState {
  BasicRouting<double> routing;
  DispatchPlan plan;
  std::vector<double> pre;     ///< (R, N1)
  std::vector<double> hidden;  ///< (R, d_ff), after dropout
  std::vector<double> output;  ///< (R, d_model)
};

/// @param inputs  (T, d_model)
/// @returns (T, d_model)
[[nodiscard]] std::vector<double> reference_forward(const MoeLayerSpec& spec,
                                                    const StepContext& step,
                                                    const ReferenceWeights& weights,
                                                    std::span<const double> inputs,
                                                    ReferenceState& state);

struct ReferenceGradients {
  ReferenceWeights weights;
  std::vector<double> inputs;    ///< (T, d_model)
  std::vector<double> d_gates;   ///< (T, k)
  std::vector<double> d_logits;  ///< (T, E)
};

/// Gradients of sum(d_outputs * outputs) + aux_loss + z_loss.
[[nodiscard]] ReferenceGradients reference_backward(
    const MoeLayerSpec& spec, const StepContext& step, const ReferenceWeights& weights,
    std::span<const double> inputs, const ReferenceState& state, std::span<const double> d_outputs);

/// The factor of jitter on number `index` of the call's inputs, 1 without.
[[nodiscard]] double reference_jitter(const MoeLayerSpec& spec, const StepContext& step,
                                      std::size_t index);

/// What dropout multiplies hidden number j of the plan's row r by, 1 without.
[[nodiscard]] double reference_dropout(const MoeLayerSpec& spec, const StepContext& step,
                                       const DispatchPlan& plan, std::size_t row, std::size_t j);

}  // namespace switchyard::kernels
