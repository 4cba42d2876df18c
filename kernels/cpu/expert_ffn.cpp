#include "kernels/cpu/expert_ffn.hpp"

#include <string>

#include "kernels/cpu/activation.hpp"
#include "kernels/cpu/grouped_gemm.hpp"
#include "kernels/cpu/parallel_for.hpp"
#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

/// Loses some numbers of (R, d_ff), scales the others; the same for hidden and its gradient.
template <class T>
void drop_out(const ExpertShape& shape, const ExpertDropout& dropout, const CpuBackend& cpu,
              std::span<T> hidden) {
  if (dropout.rate == 0.0) return;
  const std::int64_t num_rows = rows_of("hidden", hidden.size(), shape.d_ff);
  require_size("row_ids", dropout.row_ids.size(), num_rows, 1);
  const auto rate = static_cast<float>(dropout.rate);
  parallel_for(cpu, num_rows, [&](std::int64_t r, int) {
    const std::int64_t id = dropout.row_ids[static_cast<std::size_t>(r)];
    const auto counter = static_cast<std::uint64_t>(id * dropout.all_hidden + dropout.first_hidden);
    T* row = hidden.data() + r * shape.d_ff;
    for (int j = 0; j < shape.d_ff; ++j) {
      const float draw = uniform_at(dropout.stream, counter + static_cast<std::uint64_t>(j));
      row[j] = from_float<T>(draw < rate ? 0.0F : to_float(row[j]) / (1.0F - rate));
    }
  });
}

template <class T>
std::int64_t checked_rows(const ExpertShape& shape, const ExpertRows<T>& in,
                          const ExpertWeightsView<T>& weights) {
  const std::int64_t num_experts = shape.num_experts;
  if (is_glu(shape.activation) && shape.layout == GluLayout::kInterleaved8 && shape.d_ff % 8 != 0)
    throw KernelError{Fault::kSpec, "layer: d_ff is " + std::to_string(shape.d_ff) +
                                        ", expected a multiple of 8 with interleaved rows"};
  require_size("offsets", in.offsets.size(), num_experts + 1, 1);
  const std::int64_t num_rows = in.offsets.back();
  require_size("rows", in.rows.size(), num_rows, shape.d_model);
  require_size("w1", weights.w1.size(), num_experts * num_first_rows(shape), shape.d_model);
  require_size("w2", weights.w2.size(), num_experts * shape.d_model, shape.d_ff);
  return num_rows;
}

}  // namespace

template <class T>
void expert_ffn_forward(const ExpertShape& shape, const ExpertDropout& dropout,
                        const CpuBackend& cpu, ExpertRows<T> in, ExpertWeightsView<T> weights,
                        ExpertActivations<T>& activations) {
  const auto num_rows = static_cast<std::size_t>(checked_rows(shape, in, weights));
  const std::int64_t n1 = num_first_rows(shape);
  activations.pre.resize(num_rows * static_cast<std::size_t>(n1));
  activations.hidden.resize(num_rows * static_cast<std::size_t>(shape.d_ff));
  activations.output.resize(num_rows * static_cast<std::size_t>(shape.d_model));
  grouped_forward({in.offsets, n1, shape.d_model}, cpu, in.rows.data(), weights.w1.data(),
                  activations.pre.data());
  activate<T>(shape, cpu, activations.pre, activations.hidden);
  drop_out<T>(shape, dropout, cpu, activations.hidden);
  grouped_forward<T>({in.offsets, shape.d_model, shape.d_ff}, cpu, activations.hidden.data(),
                     weights.w2.data(), activations.output.data());
}

template <class T>
void expert_ffn_backward(const ExpertShape& shape, const ExpertDropout& dropout,
                         const CpuBackend& cpu, ExpertRows<T> in, ExpertWeightsView<T> weights,
                         const ExpertActivations<T>& activations, std::span<const T> d_output,
                         Buffer<T>& d_hidden, Buffer<T>& d_pre, ExpertGradients<T> gradients) {
  const auto num_rows = static_cast<std::size_t>(checked_rows(shape, in, weights));
  require_size("d_output", d_output.size(), in.offsets.back(), shape.d_model);
  require_size("d_rows", gradients.d_rows.size(), in.offsets.back(), shape.d_model);
  require_size("d_w1", gradients.d_w1.size(), static_cast<std::int64_t>(weights.w1.size()), 1);
  require_size("d_w2", gradients.d_w2.size(), static_cast<std::int64_t>(weights.w2.size()), 1);
  const std::int64_t n1 = num_first_rows(shape);
  d_hidden.resize(num_rows * static_cast<std::size_t>(shape.d_ff));
  d_pre.resize(num_rows * static_cast<std::size_t>(n1));
  const GroupedShape first{in.offsets, n1, shape.d_model};
  const GroupedShape second{in.offsets, shape.d_model, shape.d_ff};
  grouped_data_gradient(second, cpu, d_output.data(), weights.w2.data(), d_hidden.data());
  grouped_weight_gradient(second, cpu, d_output.data(), activations.hidden.data(),
                          gradients.d_w2.data());
  drop_out<T>(shape, dropout, cpu, d_hidden);
  activate_backward<T>(shape, cpu, activations.pre, d_hidden, d_pre);
  grouped_data_gradient<T>(first, cpu, d_pre.data(), weights.w1.data(), gradients.d_rows.data());
  grouped_weight_gradient<T>(first, cpu, d_pre.data(), in.rows.data(), gradients.d_w1.data());
}

template void expert_ffn_forward(const ExpertShape&, const ExpertDropout&, const CpuBackend&,
                                 ExpertRows<float>, ExpertWeightsView<float>,
                                 ExpertActivations<float>&);
template void expert_ffn_forward(const ExpertShape&, const ExpertDropout&, const CpuBackend&,
                                 ExpertRows<BFloat16>, ExpertWeightsView<BFloat16>,
                                 ExpertActivations<BFloat16>&);
template void expert_ffn_backward(const ExpertShape&, const ExpertDropout&, const CpuBackend&,
                                  ExpertRows<float>, ExpertWeightsView<float>,
                                  const ExpertActivations<float>&, std::span<const float>,
                                  Buffer<float>&, Buffer<float>&, ExpertGradients<float>);
template void expert_ffn_backward(const ExpertShape&, const ExpertDropout&, const CpuBackend&,
                                  ExpertRows<BFloat16>, ExpertWeightsView<BFloat16>,
                                  const ExpertActivations<BFloat16>&, std::span<const BFloat16>,
                                  Buffer<BFloat16>&, Buffer<BFloat16>&, ExpertGradients<BFloat16>);

}  // namespace switchyard::kernels
