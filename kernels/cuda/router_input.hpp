#pragma once

#include <cstdint>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// Whether random numbers multiply what the router sees.
[[nodiscard]] inline bool has_jitter_on_device(const MoeLayerSpec& spec, const StepContext& step) {
  return step.training && spec.router.jitter > 0.0;
}

/// Whether the router's products are of bfloat16 numbers: inputs are, and with selective precision
/// they stay so without jitter.
[[nodiscard]] inline bool multiplies_bfloat16(const MoeLayerSpec& spec, const StepContext& step) {
  return spec.precision == Precision::kBfloat16 ||
         (spec.precision == Precision::kSelective && !has_jitter_on_device(spec, step));
}

/// Numbers of a call's inputs (T, d_model).
struct JitteredNumbers {
  std::int64_t count = 0;  ///< T * d_model
  const MoeLayerSpec& spec;
  const StepContext& step;
};

/// to = inputs * jitter. From is float or BFloat16, To likewise.
template <class From, class To>
void launch_jitter(CudaBackend& cuda, const JitteredNumbers& of, const From* inputs, To* to);

/// w (E, d_model) as parts (3 E, d_model) and backward (4 E, d_model), see DeviceMoeWeights; only
/// the largest part is not zero unless `all_parts`.
void launch_split(CudaBackend& cuda, std::int64_t count, bool all_parts, const float* w,
                  BFloat16* parts, BFloat16* backward);

/// to (count) = sum of three parts (3, count).
void launch_add_parts(CudaBackend& cuda, std::int64_t count, const float* parts, float* to);

}  // namespace switchyard::kernels
