#pragma once

#include <cstdint>

namespace switchyard::kernels {

inline constexpr int kWarp = 32;
inline constexpr std::uint32_t kWholeWarp = 0xffffffffU;

__device__ inline int lane_id() { return static_cast<int>(threadIdx.x) % kWarp; }
__device__ inline int warp_id() { return static_cast<int>(threadIdx.x) / kWarp; }

/// Sum over the warp, the same bits in all lanes: each step adds the same two numbers in both.
template <class Real>
__device__ inline Real warp_sum(Real x) {
  for (int step = kWarp / 2; step > 0; step /= 2) x += __shfl_xor_sync(kWholeWarp, x, step);
  return x;
}

__device__ inline float warp_max(float x) {
  for (int step = kWarp / 2; step > 0; step /= 2)
    x = fmaxf(x, __shfl_xor_sync(kWholeWarp, x, step));
  return x;
}

/// Sum of the lanes below and of this one.
__device__ inline std::int32_t warp_inclusive_sum(std::int32_t x) {
  for (int step = 1; step < kWarp; step *= 2) {
    const std::int32_t below = __shfl_up_sync(kWholeWarp, x, step);
    if (lane_id() >= step) x += below;
  }
  return x;
}

}  // namespace switchyard::kernels
