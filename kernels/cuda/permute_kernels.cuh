#pragma once

#include <cstdint>

#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/warp.cuh"
#include "kernels/layer/dispatch_plan.hpp"

namespace switchyard::kernels {

inline constexpr int kPermuteWarps = 8;
/// Packs of 16 bytes that a lane has in flight.
inline constexpr int kPacks = 4;

/// Tokens' rows as packs of kCount numbers; a warp takes kPacks * 32 packs of one token.
struct TokenRows {
  std::int64_t num_tokens;
  int top_k;
  int packs;           ///< of a row
  int pieces;          ///< warps of a row
  const int* dst_row;  ///< (T, k)
};

/// A warp's piece; packs first, first + 32, ... below `packs` are its lane's.
struct Piece {
  std::int64_t token;
  int first;
};

__device__ inline Piece piece_of_warp(const TokenRows& of) {
  const std::int64_t warp = std::int64_t{blockIdx.x} * kPermuteWarps + warp_id();
  return {warp / of.pieces, static_cast<int>(warp % of.pieces) * kPacks * kWarp + lane_id()};
}

template <class Packed>
__device__ inline void load(const Packed* row, int first, int packs, Packed (&to)[kPacks]) {
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
    if (first + i * kWarp < packs) to[i] = row[first + i * kWarp];
}

template <class Packed>
__device__ inline void store(const Packed (&from)[kPacks], int first, int packs, Packed* row) {
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
    if (first + i * kWarp < packs) row[first + i * kWarp] = from[i];
}

template <class T, int kCount>
__global__ void __launch_bounds__(kPermuteWarps* kWarp)
    permute_kernel(TokenRows of, const Pack<T, kCount>* inputs, Pack<T, kCount>* rows) {
  const auto [token, first] = piece_of_warp(of);
  if (token >= of.num_tokens) return;
  Pack<T, kCount> packs[kPacks];
  load(inputs + token * of.packs, first, of.packs, packs);
  for (int j = 0; j < of.top_k; ++j) {
    const std::int64_t row = of.dst_row[token * of.top_k + j];
    if (row != kDropped) store(packs, first, of.packs, rows + row * of.packs);
  }
}

/// combine with gates, unpermute without; addend may be null.
template <class T, int kCount>
__global__ void __launch_bounds__(kPermuteWarps* kWarp)
    sum_kernel(TokenRows of, const float* gates, const Pack<T, kCount>* rows,
               const Pack<float, kCount>* addend, Pack<T, kCount>* sums_of_tokens) {
  const auto [token, first] = piece_of_warp(of);
  if (token >= of.num_tokens) return;
  Pack<float, kCount> sums[kPacks] = {};
  if (addend != nullptr) load(addend + token * of.packs, first, of.packs, sums);
  for (int j = 0; j < of.top_k; ++j) {
    const std::int64_t row = of.dst_row[token * of.top_k + j];
    if (row == kDropped) continue;
    const float gate = gates == nullptr ? 1.0F : gates[token * of.top_k + j];
    Pack<T, kCount> packs[kPacks] = {};
    load(rows + row * of.packs, first, of.packs, packs);
#pragma unroll
    for (int i = 0; i < kPacks; ++i)
#pragma unroll
      for (int n = 0; n < kCount; ++n) sums[i].values[n] += gate * to_float(packs[i].values[n]);
  }
  Pack<T, kCount> result[kPacks];
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
#pragma unroll
    for (int n = 0; n < kCount; ++n) result[i].values[n] = rounded_to<T>(sums[i].values[n]);
  store(result, first, of.packs, sums_of_tokens + token * of.packs);
}

/// A warp for each choice.
template <class T, int kCount>
__global__ void __launch_bounds__(kPermuteWarps* kWarp)
    combine_backward_kernel(TokenRows of, const float* gates, const Pack<T, kCount>* rows,
                            const Pack<T, kCount>* d_outputs, Pack<T, kCount>* d_rows,
                            float* d_gates) {
  const std::int64_t choice = std::int64_t{blockIdx.x} * kPermuteWarps + warp_id();
  if (choice >= of.num_tokens * of.top_k) return;
  const std::int64_t row = of.dst_row[choice];
  if (row == kDropped) {
    if (lane_id() == 0) d_gates[choice] = 0.0F;
    return;
  }
  const float gate = gates[choice];
  const Pack<T, kCount>* upper = d_outputs + choice / of.top_k * of.packs;
  float sum = 0.0F;
  for (int first = lane_id(); first < of.packs; first += kPacks * kWarp) {
    Pack<T, kCount> d[kPacks] = {};
    Pack<T, kCount> outputs[kPacks] = {};
    load(upper, first, of.packs, d);
    load(rows + row * of.packs, first, of.packs, outputs);
#pragma unroll
    for (int i = 0; i < kPacks; ++i)
#pragma unroll
      for (int n = 0; n < kCount; ++n) {
        const float x = to_float(d[i].values[n]);
        sum += x * to_float(outputs[i].values[n]);
        d[i].values[n] = rounded_to<T>(gate * x);
      }
    store(d, first, of.packs, d_rows + row * of.packs);
  }
  sum = warp_sum(sum);
  if (lane_id() == 0) d_gates[choice] = sum;
}

}  // namespace switchyard::kernels
