#include "kernels/cpu/permute.hpp"

#include <algorithm>

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {
namespace {

/// Columns that are summed up in a local array before they are stored.
constexpr std::int64_t kColumns = 256;

/// Calls body(t, sums, first, count) for pieces of each token's row of `columns`; `sums` is
/// scratch.
template <class Body>
void for_each_piece(const CpuBackend& cpu, std::int64_t num_tokens, std::int64_t columns,
                    const Body& body) {
  parallel_for(cpu, num_tokens, [&](std::int64_t t, int) {
    float sums[kColumns];
    for (std::int64_t first = 0; first < columns; first += kColumns)
      body(t, sums, first, std::min(kColumns, columns - first));
  });
}

std::int64_t choices_per_token(const DispatchPlan& plan, std::int64_t num_tokens) {
  return num_tokens == 0 ? 0 : static_cast<std::int64_t>(plan.dst_row.size()) / num_tokens;
}

}  // namespace

template <class T>
void permute(const DispatchPlan& plan, const CpuBackend& cpu, int d_model,
             std::span<const T> inputs, std::span<T> rows) {
  const std::int64_t d = d_model;
  require_size("rows", rows.size(), plan.num_rows, d);
  parallel_for(cpu, plan.num_rows, [&](std::int64_t r, int) {
    const std::int64_t token = plan.source_token[static_cast<std::size_t>(r)];
    std::copy_n(inputs.data() + token * d, d, rows.data() + r * d);
  });
}

template <class T>
void combine(const DispatchPlan& plan, const CpuBackend& cpu, int d_model,
             std::span<const float> gates, std::span<const T> rows, std::span<T> outputs) {
  const std::int64_t d = d_model;
  const std::int64_t num_tokens = rows_of("outputs", outputs.size(), d);
  const std::int64_t top_k = choices_per_token(plan, num_tokens);
  require_size("rows", rows.size(), plan.num_rows, d);
  require_size("gates", gates.size(), num_tokens, top_k);
  for_each_piece(cpu, num_tokens, d,
                 [&](std::int64_t t, float* sums, std::int64_t first, std::int64_t count) {
                   std::fill_n(sums, count, 0.0F);
                   for (std::int64_t j = t * top_k; j < (t + 1) * top_k; ++j) {
                     const std::int64_t row = plan.dst_row[static_cast<std::size_t>(j)];
                     if (row == kDropped) continue;
                     const float gate = gates[static_cast<std::size_t>(j)];
                     const T* from = rows.data() + row * d + first;
                     for (std::int64_t i = 0; i < count; ++i) sums[i] += gate * to_float(from[i]);
                   }
                   T* to = outputs.data() + t * d + first;
                   for (std::int64_t i = 0; i < count; ++i) to[i] = from_float<T>(sums[i]);
                 });
}

template <class T>
void combine_backward(const DispatchPlan& plan, const CpuBackend& cpu, int d_model,
                      std::span<const float> gates, std::span<const T> rows,
                      std::span<const T> d_outputs, std::span<T> d_rows, std::span<float> d_gates) {
  const std::int64_t d = d_model;
  const std::int64_t num_tokens = rows_of("d_outputs", d_outputs.size(), d);
  const std::int64_t top_k = choices_per_token(plan, num_tokens);
  require_size("rows", rows.size(), plan.num_rows, d);
  require_size("d_rows", d_rows.size(), plan.num_rows, d);
  require_size("d_gates", d_gates.size(), num_tokens, top_k);
  parallel_for(cpu, num_tokens * top_k, [&](std::int64_t at, int) {
    const std::int64_t row = plan.dst_row[static_cast<std::size_t>(at)];
    d_gates[static_cast<std::size_t>(at)] = 0.0F;
    if (row == kDropped) return;
    const float gate = gates[static_cast<std::size_t>(at)];
    const T* from = d_outputs.data() + at / top_k * d;
    const T* output = rows.data() + row * d;
    T* to = d_rows.data() + row * d;
    // Eight sums, always the same eight, so that the compiler may use vectors.
    constexpr std::int64_t kSums = 8;
    float sums[kSums] = {};
    for (std::int64_t i = 0; i < d; i += kSums)
      for (std::int64_t lane = 0; lane < std::min(kSums, d - i); ++lane) {
        const float upper = to_float(from[i + lane]);
        to[i + lane] = from_float<T>(gate * upper);
        sums[lane] += upper * to_float(output[i + lane]);
      }
    float sum = 0.0F;
    for (const float part : sums) sum += part;
    d_gates[static_cast<std::size_t>(at)] = sum;
  });
}

template <class T>
void unpermute(const DispatchPlan& plan, const CpuBackend& cpu, int d_model,
               std::span<const T> d_rows, std::span<const float> addend, std::span<T> d_inputs) {
  const std::int64_t d = d_model;
  const std::int64_t num_tokens = rows_of("d_inputs", d_inputs.size(), d);
  const std::int64_t top_k = choices_per_token(plan, num_tokens);
  require_size("d_rows", d_rows.size(), plan.num_rows, d);
  if (!addend.empty()) require_size("addend", addend.size(), num_tokens, d);
  for_each_piece(cpu, num_tokens, d,
                 [&](std::int64_t t, float* sums, std::int64_t first, std::int64_t count) {
                   if (addend.empty())
                     std::fill_n(sums, count, 0.0F);
                   else
                     std::copy_n(addend.data() + t * d + first, count, sums);
                   for (std::int64_t j = t * top_k; j < (t + 1) * top_k; ++j) {
                     const std::int64_t row = plan.dst_row[static_cast<std::size_t>(j)];
                     if (row == kDropped) continue;
                     const T* from = d_rows.data() + row * d + first;
                     for (std::int64_t i = 0; i < count; ++i) sums[i] += to_float(from[i]);
                   }
                   T* to = d_inputs.data() + t * d + first;
                   for (std::int64_t i = 0; i < count; ++i) to[i] = from_float<T>(sums[i]);
                 });
}

template void permute(const DispatchPlan&, const CpuBackend&, int, std::span<const float>,
                      std::span<float>);
template void permute(const DispatchPlan&, const CpuBackend&, int, std::span<const BFloat16>,
                      std::span<BFloat16>);
template void combine(const DispatchPlan&, const CpuBackend&, int, std::span<const float>,
                      std::span<const float>, std::span<float>);
template void combine(const DispatchPlan&, const CpuBackend&, int, std::span<const float>,
                      std::span<const BFloat16>, std::span<BFloat16>);
template void combine_backward(const DispatchPlan&, const CpuBackend&, int, std::span<const float>,
                               std::span<const float>, std::span<const float>, std::span<float>,
                               std::span<float>);
template void combine_backward(const DispatchPlan&, const CpuBackend&, int, std::span<const float>,
                               std::span<const BFloat16>, std::span<const BFloat16>,
                               std::span<BFloat16>, std::span<float>);
template void unpermute(const DispatchPlan&, const CpuBackend&, int, std::span<const float>,
                        std::span<const float>, std::span<float>);
template void unpermute(const DispatchPlan&, const CpuBackend&, int, std::span<const BFloat16>,
                        std::span<const float>, std::span<BFloat16>);

}  // namespace switchyard::kernels
