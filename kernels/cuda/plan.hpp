#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// Memory of a plan of `num_tokens` tokens.
void resize_plan(const MoeLayerSpec& spec, std::int64_t num_tokens, DevicePlan& plan);

/// The plan that the CPU's build_plan makes, number for number, without a wait for the device.
///
/// A counting sort: each warp counts the choices of kPlanChunkTokens tokens, sums over chunks give
/// first slots and first rows, then each warp ranks its choices in order.
/// @param experts  (T, k), kNoExpert where there is no choice; an expert of another number is
///                 taken for kNoExpert
void build_plan(const MoeLayerSpec& spec, CudaBackend& cuda, std::span<const std::int32_t> experts,
                DevicePlan& plan);

inline constexpr std::int64_t kPlanChunkTokens = 128;

}  // namespace switchyard::kernels
