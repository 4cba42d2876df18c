#pragma once

#include <cstdint>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_buffer.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/layer_state.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// Experts' weights on the device, in the layout of `shape`. T is float or BFloat16.
template <class T>
struct DeviceExpertWeights {
  ExpertShape shape;
  DeviceBuffer<T> w1;  ///< (E, N1, d_model)
  DeviceBuffer<T> w2;  ///< (E, d_model, d_ff)
};

/// Weights of some neighbouring experts, in memory of others.
template <class T>
struct DeviceExpertWeightsView {
  ExpertShape shape;
  std::span<const T> w1;  ///< (E, N1, d_model)
  std::span<const T> w2;  ///< (E, d_model, d_ff)
};

template <class T>
[[nodiscard]] DeviceExpertWeightsView<T> view_of(const DeviceExpertWeights<T>& weights) {
  return {.shape = weights.shape, .w1 = weights.w1, .w2 = weights.w2};
}

template <class T>
struct DeviceMoeWeights {
  DeviceBuffer<float> router;  ///< (E, d_model)
  /// The router as bfloat16 numbers whose sum it is, see split_router. Empty for float tokens.
  DeviceBuffer<BFloat16> router_parts;     ///< (3 E, d_model): largest parts, middle, smallest
  DeviceBuffer<BFloat16> router_backward;  ///< (4 E, d_model): largest three times, middle
  DeviceExpertWeights<T> experts;
};

/// Gradients of the weights, shaped and laid out as they are.
struct DeviceMoeGradients {
  DeviceBuffer<float> router;
  DeviceBuffer<float> w1;
  DeviceBuffer<float> w2;
};

/// BasicRouting<float> on the device, with what its kernels need.
struct DeviceRouting {
  DeviceBuffer<float> logits;          ///< (T, E)
  DeviceBuffer<float> probabilities;   ///< (T, E)
  DeviceBuffer<float> log_sum_exp;     ///< (T)
  DeviceBuffer<std::int32_t> experts;  ///< (T, k)
  DeviceBuffer<float> gates;           ///< (T, k)
  DeviceBuffer<double> losses;         ///< (2): aux_loss, z_loss
  /// (1): token * E + expert of the first logit that is not finite, kAllFinite without one.
  DeviceBuffer<std::uint64_t> not_finite;

  DeviceBuffer<float> products;              ///< (T, parts * E), of inputs and router
  DeviceBuffer<float> jittered;              ///< (T, d_model), where the router sees floats
  DeviceBuffer<BFloat16> jittered_bfloat16;  ///< (T, d_model), in pure bfloat16
  DeviceBuffer<std::int32_t> first_choices;  ///< (groups, E): tokens whose first choice it is
  DeviceBuffer<float> aux_slopes;            ///< (groups, E), see aux_loss_slopes
  DeviceBuffer<float> probability_sums;      ///< (chunks, E)
  DeviceBuffer<double> z_partials;           ///< (chunks)
  DeviceBuffer<double> aux_partials;         ///< (blocks of the sum)
  DeviceBuffer<std::uint32_t> blocks_done;   ///< (1)
};
inline constexpr std::uint64_t kAllFinite = ~std::uint64_t{0};

/// DispatchPlan on the device; R is known there alone and is offsets[E].
struct DevicePlan {
  DeviceBuffer<std::int32_t> offsets;        ///< (E + 1)
  DeviceBuffer<std::int32_t> dst_row;        ///< (T, k)
  DeviceBuffer<std::int32_t> source_token;   ///< (max_rows), the first R are filled
  DeviceBuffer<std::int32_t> source_choice;  ///< (max_rows), the first R are filled
  DeviceBuffer<std::int32_t> num_chosen;     ///< (E)
  std::int64_t max_rows = 0;                 ///< R is at most this

  DeviceBuffer<std::int32_t> slot_counts;  ///< (chunks, classes, E), then first slots
  DeviceBuffer<std::int32_t> row_counts;   ///< (chunks, E), then first rows within the expert
  DeviceBuffer<std::int32_t> num_kept;     ///< (E)
};

/// Arrays of max_rows rows, the first R are filled.
template <class T>
struct DeviceExpertActivations {
  DeviceBuffer<T> pre;     ///< (max_rows, N1)
  DeviceBuffer<T> hidden;  ///< (max_rows, d_ff)
  DeviceBuffer<T> output;  ///< (max_rows, d_model)
};

template <class T>
struct DeviceLayerState {
  DeviceRouting routing;
  DevicePlan plan;
  DeviceBuffer<T> rows;  ///< (max_rows, d_model)
  DeviceExpertActivations<T> experts;
};

/// Most rows that a call with `num_tokens` tokens can have: top_k per token, no more than the
/// slots.
[[nodiscard]] std::int64_t max_rows(const MoeLayerSpec& spec, std::int64_t num_tokens);

/// Interleaved for a GLU whose d_ff is a multiple of 8: what the fused kernels read.
[[nodiscard]] ExpertShape device_expert_shape(ExpertShape shape);
[[nodiscard]] inline ExpertShape device_expert_shape(const MoeLayerSpec& spec) {
  return device_expert_shape(expert_shape(spec));
}

/// Copies weights to the device and splits the router. Waits for the device.
/// @param shape  of the weights' experts: those of a layer, or of one rank
template <class T>
void upload(CudaBackend& cuda, const MoeLayerSpec& spec, const ExpertShape& shape,
            const MoeWeights<T>& weights, DeviceMoeWeights<T>& to);
template <class T>
void upload(CudaBackend& cuda, const MoeLayerSpec& spec, const MoeWeights<T>& weights,
            DeviceMoeWeights<T>& to) {
  upload(cuda, spec, expert_shape(spec), weights, to);
}

/// The gradients as the CPU has them, W1's in GluLayout::kGateThenUp. Waits for the device.
void download(CudaBackend& cuda, const ExpertShape& shape, const DeviceMoeGradients& gradients,
              MoeGradients& to);

/// Without products of the router. Wait for the device.
void download(CudaBackend& cuda, const DeviceRouting& routing, Routing& to);
void download(CudaBackend& cuda, const DevicePlan& plan, DispatchPlan& to);

}  // namespace switchyard::kernels
