#include "kernels/cuda/expert_ffn.hpp"

#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

template <class T>
void require_shapes(const DeviceExpertRows<T>& in, DeviceExpertWeightsView<T> weights) {
  const ExpertShape& shape = weights.shape;
  require_size("rows", in.rows.size(), in.max_rows, shape.d_model);
  const std::int64_t num_experts = shape.num_experts;
  require_size("w1", weights.w1.size(), num_experts * num_first_rows(shape), shape.d_model);
  require_size("w2", weights.w2.size(), num_experts * shape.d_model, shape.d_ff);
}

/// Of the product with W1, or with W2.
template <class T>
DeviceGroupedShape product_shape(const DeviceExpertRows<T>& in, const ExpertShape& shape,
                                 bool is_first) {
  return {.offsets = in.offsets,
          .num_experts = shape.num_experts,
          .max_rows = in.max_rows,
          .n = is_first ? num_first_rows(shape) : shape.d_model,
          .k = is_first ? shape.d_model : shape.d_ff,
          .host_offsets = in.host_offsets};
}

}  // namespace

template <class T>
void resize_activations(const ExpertShape& shape, std::int64_t max_rows,
                        DeviceExpertActivations<T>& activations) {
  const auto rows = static_cast<std::size_t>(max_rows);
  activations.pre.resize(rows * static_cast<std::size_t>(num_first_rows(shape)));
  activations.hidden.resize(rows * static_cast<std::size_t>(shape.d_ff));
  activations.output.resize(rows * static_cast<std::size_t>(shape.d_model));
}

template <class T>
void expert_ffn_forward(const DeviceDropout& dropout, CudaBackend& cuda, DeviceExpertRows<T> in,
                        DeviceExpertWeightsView<T> weights,
                        DeviceExpertActivations<T>& activations) {
  require_shapes(in, weights);
  const ExpertShape& shape = weights.shape;
  require_size("pre", activations.pre.size(), in.max_rows, num_first_rows(shape));
  require_size("hidden", activations.hidden.size(), in.max_rows, shape.d_ff);
  require_size("output", activations.output.size(), in.max_rows, shape.d_model);
  grouped_forward_activated(product_shape(in, shape, true), shape, cuda, in.rows.data(),
                            weights.w1.data(), activations.pre.data(), activations.hidden.data());
  drop_out<T>(shape, dropout, cuda, {in.offsets + shape.num_experts, in.max_rows},
              activations.hidden);
  grouped_forward<T>(product_shape(in, shape, false), cuda, activations.hidden.data(),
                     weights.w2.data(), activations.output.data());
}

template <class T>
void expert_ffn_backward(const DeviceDropout& dropout, CudaBackend& cuda, DeviceExpertRows<T> in,
                         DeviceExpertWeightsView<T> weights,
                         const DeviceExpertActivations<T>& activations, std::span<const T> d_output,
                         DeviceExpertGradients<T> gradients) {
  require_shapes(in, weights);
  const ExpertShape& shape = weights.shape;
  require_size("d_output", d_output.size(), in.max_rows, shape.d_model);
  require_size("d_rows", gradients.d_rows.size(), in.max_rows, shape.d_model);
  require_size("d_hidden", gradients.d_hidden.size(), in.max_rows, shape.d_ff);
  require_size("d_pre", gradients.d_pre.size(), in.max_rows, num_first_rows(shape));
  require_size("d_w1", gradients.d_w1.size(), static_cast<std::int64_t>(weights.w1.size()), 1);
  require_size("d_w2", gradients.d_w2.size(), static_cast<std::int64_t>(weights.w2.size()), 1);
  const DeviceGroupedShape first = product_shape(in, shape, true);
  const DeviceGroupedShape second = product_shape(in, shape, false);
  const DeviceRowCount rows{in.offsets + shape.num_experts, in.max_rows};
  grouped_data_gradient<T>(second, cuda, d_output.data(), weights.w2.data(),
                           gradients.d_hidden.data());
  grouped_weight_gradient<T>(second, cuda, d_output.data(), activations.hidden.data(),
                             gradients.d_w2.data());
  drop_out<T>(shape, dropout, cuda, rows, gradients.d_hidden);
  activate_backward<T>(shape, cuda, rows, activations.pre, gradients.d_hidden, gradients.d_pre);
  grouped_data_gradient<T>(first, cuda, gradients.d_pre.data(), weights.w1.data(),
                           gradients.d_rows.data());
  grouped_weight_gradient<T>(first, cuda, gradients.d_pre.data(), in.rows.data(),
                             gradients.d_w1.data());
}

template void resize_activations(const ExpertShape&, std::int64_t, DeviceExpertActivations<float>&);
template void resize_activations(const ExpertShape&, std::int64_t,
                                 DeviceExpertActivations<BFloat16>&);
template void expert_ffn_forward(const DeviceDropout&, CudaBackend&, DeviceExpertRows<float>,
                                 DeviceExpertWeightsView<float>, DeviceExpertActivations<float>&);
template void expert_ffn_forward(const DeviceDropout&, CudaBackend&, DeviceExpertRows<BFloat16>,
                                 DeviceExpertWeightsView<BFloat16>,
                                 DeviceExpertActivations<BFloat16>&);
template void expert_ffn_backward(const DeviceDropout&, CudaBackend&, DeviceExpertRows<float>,
                                  DeviceExpertWeightsView<float>,
                                  const DeviceExpertActivations<float>&, std::span<const float>,
                                  DeviceExpertGradients<float>);
template void expert_ffn_backward(const DeviceDropout&, CudaBackend&, DeviceExpertRows<BFloat16>,
                                  DeviceExpertWeightsView<BFloat16>,
                                  const DeviceExpertActivations<BFloat16>&,
                                  std::span<const BFloat16>, DeviceExpertGradients<BFloat16>);

}  // namespace switchyard::kernels
