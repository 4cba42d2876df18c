#include "kernels/cpu/router_losses.hpp"

#include <algorithm>

namespace switchyard::kernels {

std::int64_t tokens_of_losses(const StepContext& step, std::int64_t num_tokens) {
  return std::max<std::int64_t>(1, step.batch_tokens > 0 ? step.batch_tokens : num_tokens);
}

template <class Real>
Buffer<Real> aux_loss_slopes(const MoeLayerSpec& spec, const StepContext& step,
                             std::int64_t num_tokens, const Buffer<std::int32_t>& experts) {
  const auto [num_groups, group_tokens] = token_groups(spec, num_tokens);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  Buffer<Real> slopes(static_cast<std::size_t>(num_groups) * num_experts);
  std::ranges::fill(slopes, Real{0});
  const double weight = spec.router.aux_loss_weight * spec.num_experts /
                        static_cast<double>(tokens_of_losses(step, num_tokens));
  for (std::int64_t group = 0; group < num_groups; ++group) {
    Real* of_group = slopes.data() + static_cast<std::size_t>(group) * num_experts;
    const std::int64_t begin = group * group_tokens;
    const std::int64_t end = std::min(num_tokens, begin + group_tokens);
    for (std::int64_t t = begin; t < end; ++t)
      ++of_group[experts[static_cast<std::size_t>(t * spec.router.top_k)]];
    for (std::size_t e = 0; e < num_experts; ++e)
      of_group[e] = static_cast<Real>(weight * of_group[e] / static_cast<double>(end - begin));
  }
  return slopes;
}

template <class Real>
void compute_losses(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    BasicRouting<Real>& routing) {
  routing.aux_loss = routing.z_loss = 0.0;
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  if (spec.router.aux_loss_weight > 0.0) {
    // The loss is linear in the probabilities: its slopes times these.
    const auto slopes = aux_loss_slopes<Real>(spec, step, num_tokens, routing.experts);
    const auto group_tokens = static_cast<std::size_t>(
        std::max<std::int64_t>(1, token_groups(spec, num_tokens).group_tokens));
    for (std::size_t t = 0; t < static_cast<std::size_t>(num_tokens); ++t)
      for (std::size_t e = 0; e < num_experts; ++e)
        routing.aux_loss += static_cast<double>(slopes[t / group_tokens * num_experts + e]) *
                            static_cast<double>(routing.probabilities[t * num_experts + e]);
  }
  if (spec.router.z_loss_weight > 0.0) {
    for (const Real x : routing.log_sum_exp)
      routing.z_loss += static_cast<double>(x) * static_cast<double>(x);
    routing.z_loss *=
        spec.router.z_loss_weight / static_cast<double>(tokens_of_losses(step, num_tokens));
  }
}

template Buffer<float> aux_loss_slopes(const MoeLayerSpec&, const StepContext&, std::int64_t,
                                       const Buffer<std::int32_t>&);
template Buffer<double> aux_loss_slopes(const MoeLayerSpec&, const StepContext&, std::int64_t,
                                        const Buffer<std::int32_t>&);
template void compute_losses(const MoeLayerSpec&, const StepContext&, std::int64_t,
                             BasicRouting<float>&);
template void compute_losses(const MoeLayerSpec&, const StepContext&, std::int64_t,
                             BasicRouting<double>&);

}  // namespace switchyard::kernels
