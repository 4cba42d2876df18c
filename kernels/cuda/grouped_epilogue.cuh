#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/cuda/activation_functions.cuh"
#include "kernels/cuda/grouped_kernel.cuh"

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

/// Stores an output of rows in bfloat16.
template <class Config>
struct StoreRows {
  struct Target {
    BFloat16* out;  ///< (R, columns)
  };

  Target target;
  unsigned char* shared;

  __device__ __forceinline__ void store(const GroupedArguments& args, const Tile& tile,
                                        int warpgroup,
                                        const float (&sums)[Config::kColumns / 2]) const {
    const Staging staging = staging_of_warp<Config>(shared);
    const FragmentPlace place{tile.row_tile * Config::kRows, warpgroup};
    const std::int64_t row = tile.first_row + place.warp_row;
    const int first_column = tile.column_tile * Config::kColumns;
#pragma unroll
    for (int c = 0; c < Config::kColumns; c += 64) {
      put_blocks(staging, sums, c / 8);
      const int column = first_column + c;
      staging.store<8>(target.out + row * args.columns + column, args.columns,
                       tile.num_rows - place.warp_row,
                       min(args.columns - column, Config::kColumns - c));
    }
  }
};

/// Stores the pre-activation, if `pre` is not null, and the hidden numbers of its rounded values.
/// A GLU's columns are interleaved: 8 gates, 8 ups.
template <class Config>
struct StoreActivated {
  struct Target {
    BFloat16* pre;     ///< (R, columns) or null
    BFloat16* hidden;  ///< (R, columns), or for a GLU (R, columns / 2)
    Activation activation;
  };

  Target target;
  unsigned char* shared;

  __device__ __forceinline__ std::uint32_t hidden_of(std::uint32_t gate, std::uint32_t up) const {
    return two_bfloat16(activated<BFloat16>(target.activation, low_of(gate), low_of(up)),
                        activated<BFloat16>(target.activation, high_of(gate), high_of(up)));
  }

  __device__ __forceinline__ void store(const GroupedArguments& args, const Tile& tile,
                                        int warpgroup,
                                        const float (&sums)[Config::kColumns / 2]) const {
    const Staging staging = staging_of_warp<Config>(shared);
    const FragmentPlace place{tile.row_tile * Config::kRows, warpgroup};
    const std::int64_t row = tile.first_row + place.warp_row;
    const int num_rows = tile.num_rows - place.warp_row;
    const int first_column = tile.column_tile * Config::kColumns;
    const bool is_glu_here = target.activation != Activation::kRelu;
    const int d_ff = is_glu_here ? args.columns / 2 : args.columns;
#pragma unroll
    for (int c = 0; c < Config::kColumns; c += 64) {
      const int column = first_column + c;
      const int num_columns = min(args.columns - column, Config::kColumns - c);
      if (target.pre != nullptr) {
        put_blocks(staging, sums, c / 8);
        staging.store<8>(target.pre + row * args.columns + column, args.columns, num_rows,
                         num_columns);
      }
      if (is_glu_here) {
        put_gated(staging, sums, c / 8);
        staging.store<4>(target.hidden + row * d_ff + column / 2, d_ff, num_rows, num_columns / 2);
      } else {
        put_rectified(staging, sums, c / 8);
        staging.store<8>(target.hidden + row * d_ff + column, d_ff, num_rows, num_columns);
      }
    }
  }

  template <int kSize>
  __device__ __forceinline__ void put_gated(const Staging& staging, const float (&sums)[kSize],
                                            int first) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int gate = (first + 2 * i) * 4;
      const int up = gate + 4;
      if (gate >= kSize) break;
      staging.put(i, false,
                  hidden_of(two_bfloat16(sums[gate], sums[gate + 1]),
                            two_bfloat16(sums[up], sums[up + 1])));
      staging.put(i, true,
                  hidden_of(two_bfloat16(sums[gate + 2], sums[gate + 3]),
                            two_bfloat16(sums[up + 2], sums[up + 3])));
    }
  }

  template <int kSize>
  __device__ __forceinline__ void put_rectified(const Staging& staging, const float (&sums)[kSize],
                                                int first) const {
    float positive[32] = {};
#pragma unroll
    for (int i = 0; i < 32; ++i)
      if (first * 4 + i < kSize) positive[i] = fmaxf(sums[first * 4 + i], 0.0F);
    put_blocks(staging, positive, 0);
  }
};

/// Stores the gradient of one expert's weights in float.
template <class Config>
struct StoreGradient {
  struct Target {
    float* out;  ///< (E, out_rows, columns)
  };

  Target target;
  unsigned char* shared;

  __device__ __forceinline__ void store(const GroupedArguments& args, const Tile& tile,
                                        int warpgroup,
                                        const float (&sums)[Config::kColumns / 2]) const {
    const FragmentPlace place{tile.row_tile * Config::kRows, warpgroup};
    const int row = place.warp_row + lane_id() / 4;
    const int first_column = tile.column_tile * Config::kColumns + lane_id() % 4 * 2;
    float* out =
        target.out + (static_cast<std::int64_t>(tile.expert) * args.out_rows + row) * args.columns;
#pragma unroll
    for (int i = 0; i < Config::kColumns / 8; ++i) {
      const int column = first_column + i * 8;
      if (column >= args.columns) break;
      if (row < args.out_rows)
        *reinterpret_cast<float2*>(out + column) = {sums[4 * i], sums[4 * i + 1]};
      if (row + 8 < args.out_rows)
        *reinterpret_cast<float2*>(out + std::int64_t{8} * args.columns + column) = {
            sums[4 * i + 2], sums[4 * i + 3]};
    }
  }
};

}  // namespace switchyard::kernels
