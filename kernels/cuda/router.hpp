#pragma once

#include <span>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// Largest layer that the router's kernels take: their warps hold a token's logits in registers.
inline constexpr int kMaxExperts = 2048;
inline constexpr int kMaxTopK = 32;

/// Splits the router's float weights into bfloat16 numbers, w = w1 + w2 + w3 exactly but for
/// numbers below 2^-110. To be called when the weights have changed. Nothing for float tokens.
template <class T>
void split_router(CudaBackend& cuda, const MoeLayerSpec& spec, DeviceMoeWeights<T>& weights);

/// Memory of a routing of `num_tokens` tokens.
void resize_routing(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    DeviceRouting& routing);

/// As the CPU's route; a logit that is not finite is noted in routing.not_finite, no error is
/// thrown. In selective precision without jitter inputs are multiplied by the three parts of the
/// weights in bfloat16 and added in float, otherwise in the type that the router sees.
/// @param inputs  (T, d_model)
template <class T>
void route(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
           std::span<const T> inputs, const DeviceMoeWeights<T>& weights, DeviceRouting& routing);

/// Waits for the device.
/// @throws KernelError (kNotFinite) with token and expert of the first such logit.
void require_finite_logits(CudaBackend& cuda, const MoeLayerSpec& spec,
                           const DeviceRouting& routing);

/// Memory that route_backward reuses.
struct RouterScratch {
  DeviceBuffer<BFloat16> d_logits_parts;  ///< (T, 4 E): large, middle, small part, large again
  DeviceBuffer<float> d_logits;           ///< (T, E), where the router's products are of floats
  DeviceBuffer<float> d_router_parts;     ///< (3 E, d_model)
};

void resize_scratch(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    RouterScratch& scratch);

/// As the CPU's route_backward.
/// @param d_gates   (T, k)
/// @param d_router  (E, d_model), overwritten
/// @param d_inputs  (T, d_model), overwritten
template <class T>
void route_backward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                    std::span<const T> inputs, const DeviceMoeWeights<T>& weights,
                    const DeviceRouting& routing, std::span<const float> d_gates,
                    RouterScratch& scratch, std::span<float> d_router, std::span<float> d_inputs);

}  // namespace switchyard::kernels
