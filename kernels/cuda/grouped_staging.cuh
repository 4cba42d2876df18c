#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/cuda/grouped_ring.cuh"
#include "kernels/cuda/warp.cuh"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// A thread's part of the 16 rows of its warp, see Wgmma: rows lane / 4 and 8 more.
struct FragmentPlace {
  int warp_row;  ///< of the warp's first row, in the expert's rows (or in the output's)

  __device__ __forceinline__ FragmentPlace(int tile_row, int warpgroup)
      : warp_row{tile_row + warpgroup * 64 + static_cast<int>(threadIdx.x) % 128 / kWarp * 16} {}
};

__device__ __forceinline__ std::uint32_t two_bfloat16(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return (static_cast<std::uint32_t>(__bfloat16_as_ushort(both.y)) << 16) |
         __bfloat16_as_ushort(both.x);
}
__device__ __forceinline__ float low_of(std::uint32_t both) { return __uint_as_float(both << 16); }
__device__ __forceinline__ float high_of(std::uint32_t both) {
  return __uint_as_float(both & 0xffff0000U);
}

/// 16 rows of up to 64 bfloat16 numbers in shared memory, one for each warp, on their way from
/// fragments to whole pieces of rows. Rows are 144 bytes apart, so that neither side has bank
/// conflicts.
struct Staging {
  std::uint32_t* words;

  static constexpr int kRowWords = 36;

  /// Two numbers at columns 8 * block + lane % 4 * 2, in row lane / 4 (+ 8 if `lower`).
  __device__ __forceinline__ void put(int block, bool lower, std::uint32_t both) const {
    const int row = lane_id() / 4 + (lower ? 8 : 0);
    words[row * kRowWords + block * 4 + lane_id() % 4] = both;
  }

  /// Stores kBlocks blocks of 8 columns to `to` (row 0, column 0 of the staging), rows below
  /// num_rows and columns below num_columns, a multiple of 8.
  template <int kBlocks>
  __device__ __forceinline__ void store(BFloat16* to, int stride, int num_rows,
                                        int num_columns) const {
    __syncwarp();
    constexpr int kRowsAtOnce = kWarp / kBlocks;
#pragma unroll
    for (int i = 0; i < 16 / kRowsAtOnce; ++i) {
      const int row = i * kRowsAtOnce + lane_id() / kBlocks;
      const int block = lane_id() % kBlocks;
      if (row < num_rows && block * 8 < num_columns)
        *reinterpret_cast<uint4*>(to + static_cast<std::int64_t>(row) * stride + block * 8) =
            *reinterpret_cast<const uint4*>(words + row * kRowWords + block * 4);
    }
    __syncwarp();
  }
};

template <class Config>
__device__ __forceinline__ Staging staging_of_warp(unsigned char* staging) {
  return {reinterpret_cast<std::uint32_t*>(
      staging + static_cast<int>(threadIdx.x) / kWarp *
                    static_cast<int>(SharedLayout<Config>::kStagingBytesPerWarp))};
}

/// Puts blocks first .. first + 7 of a fragment, as far as there are so many.
template <int kSize>
__device__ __forceinline__ void put_blocks(const Staging& staging, const float (&sums)[kSize],
                                           int first) {
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int at = (first + i) * 4;
    if (at >= kSize) break;
    staging.put(i, false, two_bfloat16(sums[at], sums[at + 1]));
    staging.put(i, true, two_bfloat16(sums[at + 2], sums[at + 3]));
  }
}

}  // namespace switchyard::kernels
