#include "kernels/cpu/router.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cpu/choose_experts.hpp"
#include "kernels/cpu/router_input.hpp"
#include "kernels/cpu/router_losses.hpp"
#include "kernels/cpu/run_gemm.hpp"
#include "kernels/cpu/shape_check.hpp"

namespace switchyard::kernels {
namespace {

std::span<float> row(Buffer<float>& of, std::int64_t index, std::int64_t columns) {
  return {of.data() + index * columns, static_cast<std::size_t>(columns)};
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
  for (float& logit : logits) logit = stored_by_router(spec, logit);
  const float largest = *std::ranges::max_element(logits);
  float sum = 0.0F;
  for (std::size_t e = 0; e < logits.size(); ++e)
    sum += probabilities[e] = std::exp(logits[e] - largest);
  for (float& p : probabilities) p = stored_by_router(spec, p / sum);
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
  const auto weights = stored_router(spec, router);
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
    for (float& gate : gates) gate = stored_by_router(spec, gate);
  });
  compute_losses(spec, step, num_tokens, routing);
}

template void route(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                    std::span<const float>, std::span<const float>, Routing&);
template void route(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                    std::span<const BFloat16>, std::span<const float>, Routing&);

}  // namespace switchyard::kernels
