#pragma once

#include <cstdint>

#include "kernels/cuda/activation_functions.cuh"
#include "kernels/cuda/grouped_kernel.cuh"
#include "kernels/cuda/grouped_staging.cuh"

namespace switchyard::kernels {

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
      if (first * 4 + i < kSize) positive[i] = rectified(sums[first * 4 + i]);
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
