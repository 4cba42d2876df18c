#include <algorithm>

#include "kernels/cpu/choose_experts.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/cpu/router_input.hpp"
#include "kernels/cpu/router_losses.hpp"
#include "kernels/cpu/run_gemm.hpp"
#include "kernels/cpu/shape_check.hpp"

namespace switchyard::kernels {
namespace {

std::span<float> row(Buffer<float>& of, std::int64_t index, std::int64_t columns) {
  return {of.data() + index * columns, static_cast<std::size_t>(columns)};
}

/// Gradient of the logits (T, E).
Buffer<float> logits_backward(const MoeLayerSpec& spec, const StepContext& step,
                              const CpuBackend& cpu, const Routing& routing,
                              std::span<const float> d_gates) {
  const auto experts = static_cast<std::size_t>(spec.num_experts);
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  const auto num_tokens = static_cast<std::int64_t>(routing.log_sum_exp.size());
  const auto slopes = aux_loss_slopes<float>(spec, step, num_tokens, routing.experts);
  const std::int64_t group_tokens = token_groups(spec, num_tokens).group_tokens;
  const auto z_slope = static_cast<float>(2.0 * spec.router.z_loss_weight /
                                          static_cast<double>(tokens_of_losses(step, num_tokens)));
  Buffer<float> d_logits(routing.logits.size());
  Buffer<float> d_probabilities(routing.logits.size());
  parallel_for(cpu, num_tokens, [&](std::int64_t token, int) {
    const auto t = static_cast<std::size_t>(token);
    const std::span<const float> p{routing.probabilities.data() + t * experts, experts};
    const std::span<float> d_p = row(d_probabilities, token, spec.num_experts);
    const std::span<float> d = row(d_logits, token, spec.num_experts);
    std::copy_n(slopes.data() + token / group_tokens * spec.num_experts, experts, d_p.begin());
    std::ranges::fill(d, 0.0F);
    gates_backward<float>(spec.router, {routing.logits.data() + t * experts, experts},
                          {routing.experts.data() + t * top_k, top_k},
                          {routing.gates.data() + t * top_k, top_k},
                          d_gates.subspan(t * top_k, top_k), d, d_p);
    float mean = 0.0F;
    for (std::size_t e = 0; e < experts; ++e) mean += p[e] * d_p[e];
    const float z = z_slope * routing.log_sum_exp[t];
    for (std::size_t e = 0; e < experts; ++e) d[e] += p[e] * (d_p[e] - mean + z);
  });
  return d_logits;
}

/// d_router (E, d_model) = d_logits^T @ inputs
template <class T>
void weights_backward(const MoeLayerSpec& spec, const CpuBackend& cpu,
                      const Buffer<float>& d_logits, const T* inputs, float* d_router) {
  using Number = typename GemmNumber<T>::type;
  const std::int64_t d = spec.d_model;
  run_gemms<float, Number, float>(
      cpu, {{.rows = spec.num_experts,
             .columns = d,
             .depth = static_cast<std::int64_t>(d_logits.size()) / spec.num_experts,
             .a = {d_logits.data(), 1, spec.num_experts},
             .b = {gemm_numbers(inputs), d, 1},
             .c = d_router,
             .c_stride = d}});
}

}  // namespace

template <class T>
void route_backward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                    std::span<const T> inputs, std::span<const float> router,
                    const Routing& routing, std::span<const float> d_gates,
                    std::span<float> d_router, std::span<float> d_inputs) {
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), spec.d_model);
  require_size("logits", routing.logits.size(), num_tokens, spec.num_experts);
  require_size("d_gates", d_gates.size(), num_tokens, spec.router.top_k);
  require_size("d_router", d_router.size(), spec.num_experts, spec.d_model);
  require_size("d_inputs", d_inputs.size(), num_tokens, spec.d_model);
  const auto d_logits = logits_backward(spec, step, cpu, routing, d_gates);
  const bool jitters = has_jitter(spec, step);
  if (jitters)
    weights_backward(spec, cpu, d_logits, jittered(spec, step, cpu, inputs).data(),
                     d_router.data());
  else
    weights_backward(spec, cpu, d_logits, inputs.data(), d_router.data());

  const auto weights = stored_router(spec, router);
  run_gemms<float, float, float>(cpu, {{.rows = num_tokens,
                                        .columns = spec.d_model,
                                        .depth = spec.num_experts,
                                        .a = {d_logits.data(), spec.num_experts, 1},
                                        .b = {weights.data(), spec.d_model, 1},
                                        .c = d_inputs.data(),
                                        .c_stride = spec.d_model}});
  if (jitters) jitter_backward(spec, step, cpu, d_inputs);
}

template void route_backward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                             std::span<const float>, std::span<const float>, const Routing&,
                             std::span<const float>, std::span<float>, std::span<float>);
template void route_backward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                             std::span<const BFloat16>, std::span<const float>, const Routing&,
                             std::span<const float>, std::span<float>, std::span<float>);

}  // namespace switchyard::kernels
