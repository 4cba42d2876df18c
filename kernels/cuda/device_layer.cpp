#include "kernels/cuda/device_layer.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/cuda/router.hpp"

namespace switchyard::kernels {

std::int64_t max_rows(const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const std::int64_t all = num_tokens * spec.router.top_k;
  const auto [num_groups, group_tokens] = token_groups(spec, num_tokens);
  if (num_groups == 0) return 0;
  const std::int64_t last = num_tokens - (num_groups - 1) * group_tokens;
  const auto slots = expert_capacity(spec, group_tokens);
  const auto last_slots = expert_capacity(spec, last);
  if (!slots) return all;
  // A minimum may be larger than a group.
  const std::int64_t top_k = spec.router.top_k;
  const std::int64_t per_expert = std::min(*slots, group_tokens * top_k) * (num_groups - 1) +
                                  std::min(*last_slots, last * top_k);
  return std::min(all, per_expert * spec.num_experts);
}

ExpertShape device_expert_shape(ExpertShape shape) {
  if (is_glu(shape.activation) && shape.d_ff % 8 == 0) shape.layout = GluLayout::kInterleaved8;
  return shape;
}

template <class T>
void upload(CudaBackend& cuda, const MoeLayerSpec& spec, const ExpertShape& shape,
            const MoeWeights<T>& weights, DeviceMoeWeights<T>& to) {
  to.experts.shape = device_expert_shape(shape);
  if (to.experts.shape.layout != shape.layout) {
    Buffer<T> reordered(weights.experts.w1.size());
    convert_glu_rows<T>(shape, to.experts.shape.layout, weights.experts.w1, reordered);
    copy_to_device<T>(reordered, to.experts.w1, cuda.stream());
  } else {
    copy_to_device<T>(weights.experts.w1, to.experts.w1, cuda.stream());
  }
  copy_to_device<T>(weights.experts.w2, to.experts.w2, cuda.stream());
  copy_to_device<float>(weights.router, to.router, cuda.stream());
  split_router(cuda, spec, to);
  cuda.synchronize();
}

void download(CudaBackend& cuda, const ExpertShape& shape, const DeviceMoeGradients& gradients,
              MoeGradients& to) {
  copy_to_host<float>(gradients.router, to.router, cuda.stream());
  copy_to_host<float>(gradients.w2, to.w2, cuda.stream());
  if (shape.layout == GluLayout::kGateThenUp) {
    copy_to_host<float>(gradients.w1, to.w1, cuda.stream());
    return;
  }
  Buffer<float> interleaved;
  copy_to_host<float>(gradients.w1, interleaved, cuda.stream());
  to.w1.resize(interleaved.size());
  convert_glu_rows<float>(shape, GluLayout::kGateThenUp, interleaved, to.w1);
}

void download(CudaBackend& cuda, const DeviceRouting& routing, Routing& to) {
  copy_to_host<float>(routing.logits, to.logits, cuda.stream());
  copy_to_host<float>(routing.probabilities, to.probabilities, cuda.stream());
  copy_to_host<float>(routing.log_sum_exp, to.log_sum_exp, cuda.stream());
  copy_to_host<std::int32_t>(routing.experts, to.experts, cuda.stream());
  copy_to_host<float>(routing.gates, to.gates, cuda.stream());
  Buffer<double> losses;
  copy_to_host<double>(routing.losses, losses, cuda.stream());
  to.aux_loss = losses[0];
  to.z_loss = losses[1];
}

void download(CudaBackend& cuda, const DevicePlan& plan, DispatchPlan& to) {
  copy_to_host<std::int32_t>(plan.offsets, to.offsets, cuda.stream());
  copy_to_host<std::int32_t>(plan.dst_row, to.dst_row, cuda.stream());
  copy_to_host<std::int32_t>(plan.num_chosen, to.num_chosen, cuda.stream());
  to.num_rows = to.offsets[to.offsets.size() - 1];
  const auto rows = static_cast<std::size_t>(to.num_rows);
  copy_to_host<std::int32_t>({plan.source_token.data(), rows}, to.source_token, cuda.stream());
  copy_to_host<std::int32_t>({plan.source_choice.data(), rows}, to.source_choice, cuda.stream());
  to.num_dropped =
      std::accumulate(to.num_chosen.begin(), to.num_chosen.end(), std::int64_t{0}) - to.num_rows;
}

template void upload(CudaBackend&, const MoeLayerSpec&, const ExpertShape&,
                     const MoeWeights<float>&, DeviceMoeWeights<float>&);
template void upload(CudaBackend&, const MoeLayerSpec&, const ExpertShape&,
                     const MoeWeights<BFloat16>&, DeviceMoeWeights<BFloat16>&);

}  // namespace switchyard::kernels
