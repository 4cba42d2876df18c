#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/permute_kernels.cuh"

namespace switchyard::kernels {
namespace {

TokenRows token_rows(const DevicePlan& plan, std::int64_t num_tokens, int packs) {
  return {.num_tokens = num_tokens,
          .top_k = static_cast<int>(static_cast<std::int64_t>(plan.dst_row.size()) / num_tokens),
          .packs = packs,
          .pieces = (packs + kPacks * kWarp - 1) / (kPacks * kWarp),
          .dst_row = plan.dst_row.data()};
}

unsigned blocks_for_warps(std::int64_t warps) {
  return static_cast<unsigned>((warps + kPermuteWarps - 1) / kPermuteWarps);
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
        <<<blocks_for_warps(num_tokens * tokens.pieces), kPermuteWarps * kWarp, 0, cuda.stream()>>>(
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
        <<<blocks_for_warps(num_tokens * tokens.pieces), kPermuteWarps * kWarp, 0, cuda.stream()>>>(
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
        <<<blocks_for_warps(num_tokens * tokens.top_k), kPermuteWarps * kWarp, 0, cuda.stream()>>>(
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
