#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/buffer.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// x as the router stores it in this precision.
[[nodiscard]] inline float stored_by_router(const MoeLayerSpec& spec, float x) {
  return spec.precision == Precision::kBfloat16 ? rounded_to_bfloat16(x) : x;
}

/// The router's weights (E, d_model) as stored_by_router.
[[nodiscard]] Buffer<float> stored_router(const MoeLayerSpec& spec, std::span<const float> router);

/// Whether this call multiplies the router's input by random numbers.
[[nodiscard]] bool has_jitter(const MoeLayerSpec& spec, const StepContext& step);

/// The router's input (T, d_model) with jitter.
template <class T>
[[nodiscard]] Buffer<float> jittered(const MoeLayerSpec& spec, const StepContext& step,
                                     const CpuBackend& cpu, std::span<const T> inputs);

/// Multiplies the gradient of the router's input (T, d_model) by the same numbers.
void jitter_backward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                     std::span<float> d_inputs);

}  // namespace switchyard::kernels
