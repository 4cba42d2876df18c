#pragma once

#include <span>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/cuda/router.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// Memory of a forward pass of up to `num_tokens` tokens, allocated at once. Without it the first
/// call allocates.
template <class T>
void resize_state(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                  DeviceLayerState<T>& state);

/// The whole layer on one device: route, build_plan, permute, expert_ffn_forward, combine; spans
/// are device memory that begins at multiples of 32 bytes.
///
/// Queued without a wait for the device where the route is kWgmma. An input that is not finite
/// makes a logit that is not finite, which require_finite_logits finds.
/// @param inputs   (T, d_model), T from their number
/// @param outputs  (T, d_model)
/// @param state    kept for layer_backward
/// @throws KernelError kSpec, kShape, kAllocation or kDevice.
template <class T>
void layer_forward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                   const DeviceMoeWeights<T>& weights, std::span<const T> inputs,
                   std::span<T> outputs, DeviceLayerState<T>& state);

/// Backward memory that is reused from step to step.
template <class T>
struct DeviceBackwardScratch {
  DeviceBuffer<T> d_output_rows;        ///< (max_rows, d_model)
  DeviceBuffer<T> d_rows;               ///< (max_rows, d_model)
  DeviceBuffer<T> d_hidden;             ///< (max_rows, d_ff)
  DeviceBuffer<T> d_pre;                ///< (max_rows, N1)
  DeviceBuffer<float> d_gates;          ///< (T, k)
  DeviceBuffer<float> d_router_inputs;  ///< (T, d_model)
  RouterScratch router;
};

template <class T>
void resize_scratch(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    const DeviceMoeWeights<T>& weights, DeviceBackwardScratch<T>& scratch,
                    DeviceMoeGradients& gradients);

/// As the CPU's layer_backward; d_outputs are not searched for numbers that are not finite.
/// @param d_inputs   (T, d_model), overwritten
/// @param gradients  resized and overwritten
template <class T>
void layer_backward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                    const DeviceMoeWeights<T>& weights, std::span<const T> inputs,
                    const DeviceLayerState<T>& state, std::span<const T> d_outputs,
                    DeviceBackwardScratch<T>& scratch, std::span<T> d_inputs,
                    DeviceMoeGradients& gradients);

}  // namespace switchyard::kernels
