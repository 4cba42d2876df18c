#include "kernels/cpu/router.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cpu/choose_experts.hpp"
#include "kernels/cpu/router_losses.hpp"
#include "kernels/cpu/run_gemm.hpp"
#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

std::span<float> row(Buffer<float>& of, std::int64_t index, std::int64_t columns) {
  return {of.data() + index * columns, static_cast<std::size_t>(columns)};
}

float stored(const MoeLayerSpec& spec, float x) {
  return spec.precision == Precision::kBfloat16 ? rounded_to_bfloat16(x) : x;
}

bool has_jitter(const MoeLayerSpec& spec, const StepContext& step) {
  return step.training && spec.router.jitter > 0.0;
}

/// What multiplies number `index` of this call's inputs (T, d_model).
float jitter_at(const MoeLayerSpec& spec, const StepContext& step, std::uint64_t stream,
                std::int64_t index) {
  const auto counter = static_cast<std::uint64_t>(step.first_token * spec.d_model + index);
  return jitter_factor(stream, counter, static_cast<float>(spec.router.jitter));
}

/// The router's input with jitter.
template <class T>
Buffer<float> jittered(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                       std::span<const T> inputs) {
  Buffer<float> result(inputs.size());
  const auto stream = random_stream(step, RandomUse::kJitter);
  parallel_for(cpu, static_cast<std::int64_t>(inputs.size()) / spec.d_model,
               [&](std::int64_t t, int) {
                 for (std::int64_t i = t * spec.d_model; i < (t + 1) * spec.d_model; ++i) {
                   const auto at = static_cast<std::size_t>(i);
                   const float x = to_float(inputs[at]) * jitter_at(spec, step, stream, i);
                   result[at] = stored(spec, x);
                 }
               });
  return result;
}

Buffer<float> stored_weights(const MoeLayerSpec& spec, std::span<const float> router) {
  Buffer<float> result(router.size());
  for (std::size_t i = 0; i < router.size(); ++i) result[i] = stored(spec, router[i]);
  return result;
}

/// logits (T, E) = inputs (T, d_model) @ router (E, d_model)^T
template <class T>
void compute_logits(const MoeLayerSpec& spec, const CpuBackend& cpu, std::int64_t num_tokens,
                    const T* inputs, const Buffer<float>& router, float* logits) {
  using Number = typename GemmNumber<T>::type;
  const std::int64_t d = spec.d_model;
  // In pieces: a call of few experts has else too few tasks for the threads.
  constexpr std::int64_t kTokens = 192;
  std::vector<GemmTask<Number, float, float>> products;
  for (std::int64_t t = 0; t < num_tokens; t += kTokens)
    products.push_back({.rows = std::min(kTokens, num_tokens - t),
                        .columns = spec.num_experts,
                        .depth = d,
                        .a = {gemm_numbers(inputs) + t * d, d, 1},
                        .b = {router.data(), 1, d},
                        .c = logits + t * spec.num_experts,
                        .c_stride = spec.num_experts});
  run_gemms(cpu, products);
}

void softmax(const MoeLayerSpec& spec, std::span<float> logits, std::span<float> probabilities,
             float& log_sum_exp) {
  for (float& logit : logits) logit = stored(spec, logit);
  const float largest = *std::ranges::max_element(logits);
  float sum = 0.0F;
  for (std::size_t e = 0; e < logits.size(); ++e)
    sum += probabilities[e] = std::exp(logits[e] - largest);
  for (float& p : probabilities) p = stored(spec, p / sum);
  log_sum_exp = largest + std::log(sum);
}

void require_finite_logits(const Buffer<float>& logits, std::int64_t num_experts) {
  const auto* wrong = std::ranges::find_if(logits, [](float x) { return !std::isfinite(x); });
  if (wrong == logits.end()) return;
  const auto at = wrong - logits.begin();
  throw KernelError{Fault::kNotFinite, "router: the logit of token " +
                                           std::to_string(at / num_experts) + " for expert " +
                                           std::to_string(at % num_experts) + " is " +
                                           std::to_string(*wrong)};
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
void route(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
           std::span<const T> inputs, std::span<const float> router, Routing& routing) {
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), spec.d_model);
  require_size("router", router.size(), spec.num_experts, spec.d_model);
  const auto tokens = static_cast<std::size_t>(num_tokens);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  routing.logits.resize(tokens * num_experts);
  routing.probabilities.resize(tokens * num_experts);
  routing.log_sum_exp.resize(tokens);
  routing.experts.resize(tokens * top_k);
  routing.gates.resize(tokens * top_k);
  const auto weights = stored_weights(spec, router);
  if (has_jitter(spec, step))
    compute_logits(spec, cpu, num_tokens, jittered(spec, step, cpu, inputs).data(), weights,
                   routing.logits.data());
  else
    compute_logits(spec, cpu, num_tokens, inputs.data(), weights, routing.logits.data());
  require_finite_logits(routing.logits, spec.num_experts);
  parallel_for(cpu, num_tokens, [&](std::int64_t t, int) {
    const auto logits = row(routing.logits, t, spec.num_experts);
    const auto probabilities = row(routing.probabilities, t, spec.num_experts);
    softmax(spec, logits, probabilities, routing.log_sum_exp[static_cast<std::size_t>(t)]);
    const auto gates = row(routing.gates, t, spec.router.top_k);
    choose_experts<float>(spec.router, step, {logits, probabilities, step.first_token + t},
                          {routing.experts.data() + t * spec.router.top_k, top_k}, gates);
    for (float& gate : gates) gate = stored(spec, gate);
  });
  compute_losses(spec, step, num_tokens, routing);
}

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

  const auto weights = stored_weights(spec, router);
  run_gemms<float, float, float>(cpu, {{.rows = num_tokens,
                                        .columns = spec.d_model,
                                        .depth = spec.num_experts,
                                        .a = {d_logits.data(), spec.num_experts, 1},
                                        .b = {weights.data(), spec.d_model, 1},
                                        .c = d_inputs.data(),
                                        .c_stride = spec.d_model}});
  if (!jitters) return;
  const auto stream = random_stream(step, RandomUse::kJitter);
  parallel_for(cpu, num_tokens, [&](std::int64_t t, int) {
    for (std::int64_t i = t * spec.d_model; i < (t + 1) * spec.d_model; ++i)
      d_inputs[static_cast<std::size_t>(i)] *= jitter_at(spec, step, stream, i);
  });
}

template void route(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                    std::span<const float>, std::span<const float>, Routing&);
template void route(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                    std::span<const BFloat16>, std::span<const float>, Routing&);
template void route_backward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                             std::span<const float>, std::span<const float>, const Routing&,
                             std::span<const float>, std::span<float>, std::span<float>);
template void route_backward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                             std::span<const BFloat16>, std::span<const float>, const Routing&,
                             std::span<const float>, std::span<float>, std::span<float>);

}  // namespace switchyard::kernels
