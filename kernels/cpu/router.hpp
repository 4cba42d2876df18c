#pragma once

#include <span>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/routing.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// Logits, probabilities, choices, gates and losses of T tokens. T is float or BFloat16.
///
/// A token's logits are the same bits whatever other tokens are in the call.
/// @param inputs  (T, d_model)
/// @param router  (E, d_model)
/// @throws KernelError (kNotFinite) with token and expert of the first logit that is not finite.
template <class T>
void route(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
           std::span<const T> inputs, std::span<const float> router, Routing& routing);

/// Gradients through gates, auxiliary loss and z-loss, whose own gradients are 1.
///
/// @param d_gates   (T, k), 0 where a choice was dropped
/// @param d_router  (E, d_model), overwritten: the sum over this call's tokens
/// @param d_inputs  (T, d_model), overwritten: the router's part of the gradient of the inputs
template <class T>
void route_backward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                    std::span<const T> inputs, std::span<const float> router,
                    const Routing& routing, std::span<const float> d_gates,
                    std::span<float> d_router, std::span<float> d_inputs);

}  // namespace switchyard::kernels
