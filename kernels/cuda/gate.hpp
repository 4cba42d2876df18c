#pragma once

#include <cstdint>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// Tokens whose losses one block of the gate's kernel adds up, of one group.
inline constexpr std::int64_t kGateChunkTokens = 32;

/// What the gate's partial sums are counted by.
struct GateSizes {
  std::int64_t groups = 0;
  std::int64_t chunks = 0;
  std::int64_t aux_blocks = 0;  ///< partial sums of the auxiliary loss
};
[[nodiscard]] GateSizes gate_sizes(const MoeLayerSpec& spec, std::int64_t num_tokens);

/// Logits, softmax, choices, gates and losses from routing.products (T, num_parts * E), whose
/// parts of a logit are added up from the last to the first.
void launch_gate(CudaBackend& cuda, const MoeLayerSpec& spec, const StepContext& step,
                 std::int64_t num_tokens, int num_parts, DeviceRouting& routing);

/// Gradient of the logits, either as floats (T, E) or as parts (T, 4 E), see RouterScratch.
struct LogitsGradient {
  float* floats = nullptr;
  BFloat16* parts = nullptr;
};

/// @param d_gates  (T, k)
void launch_gate_backward(CudaBackend& cuda, const MoeLayerSpec& spec, const StepContext& step,
                          std::int64_t num_tokens, const DeviceRouting& routing,
                          const float* d_gates, LogitsGradient to);

}  // namespace switchyard::kernels
