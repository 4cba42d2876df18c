#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/warp.cuh"
#include "kernels/layer/dispatch_plan.hpp"

namespace switchyard::kernels {
namespace {

constexpr int kWarps = 8;
/// Packs of 16 bytes that a lane has in flight.
constexpr int kPacks = 4;

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

__device__ Piece piece_of_warp(const TokenRows& of) {
  const std::int64_t warp = std::int64_t{blockIdx.x} * kWarps + warp_id();
  return {warp / of.pieces, static_cast<int>(warp % of.pieces) * kPacks * kWarp + lane_id()};
}

template <class Packed>
__device__ void load(const Packed* row, int first, int packs, Packed (&to)[kPacks]) {
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
    if (first + i * kWarp < packs) to[i] = row[first + i * kWarp];
}

template <class Packed>
__device__ void store(const Packed (&from)[kPacks], int first, int packs, Packed* row) {
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
    if (first + i * kWarp < packs) row[first + i * kWarp] = from[i];
}

template <class T, int kCount>
__global__ void __launch_bounds__(kWarps* kWarp)
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
__global__ void __launch_bounds__(kWarps* kWarp)
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
__global__ void __launch_bounds__(kWarps* kWarp)
    combine_backward_kernel(TokenRows of, const float* gates, const Pack<T, kCount>* rows,
                            const Pack<T, kCount>* d_outputs, Pack<T, kCount>* d_rows,
                            float* d_gates) {
  const std::int64_t choice = std::int64_t{blockIdx.x} * kWarps + warp_id();
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

TokenRows token_rows(const DevicePlan& plan, std::int64_t num_tokens, int packs) {
  return {.num_tokens = num_tokens,
          .top_k = static_cast<int>(static_cast<std::int64_t>(plan.dst_row.size()) / num_tokens),
          .packs = packs,
          .pieces = (packs + kPacks * kWarp - 1) / (kPacks * kWarp),
          .dst_row = plan.dst_row.data()};
}

unsigned blocks_for_warps(std::int64_t warps) {
  return static_cast<unsigned>((warps + kWarps - 1) / kWarps);
}

/// Calls body with std::integral_constant: the numbers of a pack.
template <class T, class Body>
void with_packs(int d_model, const Body& body) {
  if (fits_packs<T>(d_model))
    body(std::integral_constant<int, kPackSize<T>>{});
  else
    body(std::integral_constant<int, 1>{});
}

template <class T>
struct SumOfRows {
  const float* gates;
  const T* rows;
  const float* addend;
  T* sums;
};

template <class T>
void launch_sum(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::int64_t num_tokens,
                SumOfRows<T> of) {
  with_packs<T>(d_model, [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    const TokenRows tokens = token_rows(plan, num_tokens, d_model / kCount);
    sum_kernel<T, kCount>
        <<<blocks_for_warps(num_tokens * tokens.pieces), kWarps * kWarp, 0, cuda.stream()>>>(
            tokens, of.gates, reinterpret_cast<const Pack<T, kCount>*>(of.rows),
            reinterpret_cast<const Pack<float, kCount>*>(of.addend),
            reinterpret_cast<Pack<T, kCount>*>(of.sums));
    check_launch("sum_kernel");
  });
}

}  // namespace

template <class T>
void permute(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const T> inputs,
             std::span<T> rows) {
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), d_model);
  require_size("rows", rows.size(), plan.max_rows, d_model);
  if (num_tokens == 0) return;
  with_packs<T>(d_model, [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    const TokenRows tokens = token_rows(plan, num_tokens, d_model / kCount);
    permute_kernel<T, kCount>
        <<<blocks_for_warps(num_tokens * tokens.pieces), kWarps * kWarp, 0, cuda.stream()>>>(
            tokens, reinterpret_cast<const Pack<T, kCount>*>(inputs.data()),
            reinterpret_cast<Pack<T, kCount>*>(rows.data()));
    check_launch("permute_kernel");
  });
}

template <class T>
void combine(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const float> gates,
             std::span<const T> rows, std::span<T> outputs) {
  const std::int64_t num_tokens = rows_of("outputs", outputs.size(), d_model);
  require_size("rows", rows.size(), plan.max_rows, d_model);
  require_size("gates", gates.size(), static_cast<std::int64_t>(plan.dst_row.size()), 1);
  if (num_tokens > 0)
    launch_sum<T>(plan, cuda, d_model, num_tokens,
                  {gates.data(), rows.data(), nullptr, outputs.data()});
}

template <class T>
void combine_backward(const DevicePlan& plan, CudaBackend& cuda, int d_model,
                      std::span<const float> gates, std::span<const T> rows,
                      std::span<const T> d_outputs, std::span<T> d_rows, std::span<float> d_gates) {
  const std::int64_t num_tokens = rows_of("d_outputs", d_outputs.size(), d_model);
  require_size("rows", rows.size(), plan.max_rows, d_model);
  require_size("d_rows", d_rows.size(), plan.max_rows, d_model);
  require_size("d_gates", d_gates.size(), static_cast<std::int64_t>(plan.dst_row.size()), 1);
  if (num_tokens == 0) return;
  with_packs<T>(d_model, [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    using Packed = Pack<T, kCount>;
    const TokenRows tokens = token_rows(plan, num_tokens, d_model / kCount);
    combine_backward_kernel<T, kCount>
        <<<blocks_for_warps(num_tokens * tokens.top_k), kWarps * kWarp, 0, cuda.stream()>>>(
            tokens, gates.data(), reinterpret_cast<const Packed*>(rows.data()),
            reinterpret_cast<const Packed*>(d_outputs.data()),
            reinterpret_cast<Packed*>(d_rows.data()), d_gates.data());
    check_launch("combine_backward_kernel");
  });
}

template <class T>
void unpermute(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const T> d_rows,
               std::span<const float> addend, std::span<T> d_inputs) {
  const std::int64_t num_tokens = rows_of("d_inputs", d_inputs.size(), d_model);
  require_size("d_rows", d_rows.size(), plan.max_rows, d_model);
  if (!addend.empty()) require_size("addend", addend.size(), num_tokens, d_model);
  if (num_tokens > 0)
    launch_sum<T>(plan, cuda, d_model, num_tokens,
                  {nullptr, d_rows.data(), addend.data(), d_inputs.data()});
}

template void permute(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                      std::span<float>);
template void permute(const DevicePlan&, CudaBackend&, int, std::span<const BFloat16>,
                      std::span<BFloat16>);
template void combine(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                      std::span<const float>, std::span<float>);
template void combine(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                      std::span<const BFloat16>, std::span<BFloat16>);
template void combine_backward(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                               std::span<const float>, std::span<const float>, std::span<float>,
                               std::span<float>);
template void combine_backward(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                               std::span<const BFloat16>, std::span<const BFloat16>,
                               std::span<BFloat16>, std::span<float>);
template void unpermute(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                        std::span<const float>, std::span<float>);
template void unpermute(const DevicePlan&, CudaBackend&, int, std::span<const BFloat16>,
                        std::span<const float>, std::span<BFloat16>);

}  // namespace switchyard::kernels
