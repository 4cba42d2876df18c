#pragma once

#include <span>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/layer_state.hpp"
#include "kernels/layer/step_context.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// The whole layer on one rank: route, build_plan, permute, expert_ffn_forward, combine.
///
/// A token without an expert gets zeros: the residual beside the layer carries it.
/// @param inputs   (T, d_model), T from their number
/// @param outputs  (T, d_model)
/// @param state    kept for layer_backward
/// @throws KernelError kSpec, kShape, kNotFinite (which input number) or kAllocation.
template <class T>
void layer_forward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                   const MoeWeights<T>& weights, std::span<const T> inputs, std::span<T> outputs,
                   LayerState<T>& state);

/// Backward memory that is reused from step to step.
template <class T>
struct BackwardScratch {
  Buffer<T> d_output_rows;        ///< (R, d_model)
  Buffer<T> d_rows;               ///< (R, d_model)
  Buffer<T> d_hidden;             ///< (R, d_ff)
  Buffer<T> d_pre;                ///< (R, N1)
  Buffer<float> d_gates;          ///< (T, k)
  Buffer<float> d_router_inputs;  ///< (T, d_model)
};

/// Gradients of sum(d_outputs * outputs) + aux_loss + z_loss.
/// @param d_inputs   (T, d_model), overwritten
/// @param gradients  resized and overwritten
template <class T>
void layer_backward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                    const MoeWeights<T>& weights, std::span<const T> inputs,
                    const LayerState<T>& state, std::span<const T> d_outputs,
                    BackwardScratch<T>& scratch, std::span<T> d_inputs, MoeGradients& gradients);

}  // namespace switchyard::kernels
