#include "kernels/cpu/reference_layer.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/choose_experts.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router_losses.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {
namespace {

void reference_route(const MoeLayerSpec& spec, const StepContext& step,
                     const ReferenceWeights& weights, std::span<const double> inputs,
                     BasicRouting<double>& routing) {
  const auto d = static_cast<std::size_t>(spec.d_model);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  const std::size_t num_tokens = inputs.size() / d;
  routing.logits.resize(num_tokens * num_experts);
  routing.probabilities.resize(num_tokens * num_experts);
  routing.log_sum_exp.resize(num_tokens);
  routing.experts.resize(num_tokens * top_k);
  routing.gates.resize(num_tokens * top_k);
  for (std::size_t t = 0; t < num_tokens; ++t) {
    const std::span<double> logits{routing.logits.data() + t * num_experts, num_experts};
    const std::span<double> p{routing.probabilities.data() + t * num_experts, num_experts};
    for (std::size_t e = 0; e < num_experts; ++e) {
      logits[e] = 0.0;
      for (std::size_t i = 0; i < d; ++i)
        logits[e] +=
            inputs[t * d + i] * reference_jitter(spec, step, t * d + i) * weights.router[e * d + i];
    }
    const double largest = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    for (std::size_t e = 0; e < num_experts; ++e) p[e] = std::exp(logits[e] - largest) / sum;
    routing.log_sum_exp[t] = largest + std::log(sum);
    choose_experts<double>(
        spec.router, step, {logits, p, step.first_token + static_cast<std::int64_t>(t)},
        {routing.experts.data() + t * top_k, top_k}, {routing.gates.data() + t * top_k, top_k});
  }
  compute_losses(spec, step, static_cast<std::int64_t>(num_tokens), routing);
}

double activation(Activation kind, double gate, double up) {
  if (kind == Activation::kRelu) return std::max(up, 0.0);
  if (kind == Activation::kSwiglu) return gate / (1.0 + std::exp(-gate)) * up;
  const double inner = 0.79788456080286536 * (gate + 0.044715 * gate * gate * gate);
  return 0.5 * gate * (1.0 + std::tanh(inner)) * up;  // sqrt(2 / pi) above
}

/// target[i] = matrix[i, :] . vector
void multiply(std::span<const double> matrix, std::span<const double> vector,
              std::span<double> target) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    target[i] = 0.0;
    for (std::size_t j = 0; j < vector.size(); ++j)
      target[i] += matrix[i * vector.size() + j] * vector[j];
  }
}

}  // namespace

double reference_jitter(const MoeLayerSpec& spec, const StepContext& step, std::size_t index) {
  if (!step.training || spec.router.jitter == 0.0) return 1.0;
  const auto first = static_cast<std::uint64_t>(step.first_token * spec.d_model);
  return jitter_factor(random_stream(step, RandomUse::kJitter), first + index,
                       static_cast<float>(spec.router.jitter));
}

double reference_dropout(const MoeLayerSpec& spec, const StepContext& step,
                         const DispatchPlan& plan, std::size_t row, std::size_t j) {
  if (!step.training || spec.expert_dropout == 0.0) return 1.0;
  const std::int64_t id =
      (step.first_token + plan.source_token[row]) * spec.router.top_k + plan.source_choice[row];
  const auto counter = static_cast<std::uint64_t>(id * spec.d_ff) + j;
  const float draw = uniform_at(random_stream(step, RandomUse::kExpertDropout), counter);
  return draw < static_cast<float>(spec.expert_dropout) ? 0.0 : 1.0 / (1.0 - spec.expert_dropout);
}

std::vector<double> reference_forward(const MoeLayerSpec& spec, const StepContext& step,
                                      const ReferenceWeights& weights,
                                      std::span<const double> inputs, ReferenceState& state) {
  validate(spec);
  const ExpertShape shape = expert_shape(spec);
  const auto d = static_cast<std::size_t>(spec.d_model);
  const auto f = static_cast<std::size_t>(spec.d_ff);
  const auto n1 = static_cast<std::size_t>(num_first_rows(shape));
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  reference_route(spec, step, weights, inputs, state.routing);
  build_plan(spec, state.routing.experts, state.plan);
  const auto num_rows = static_cast<std::size_t>(state.plan.num_rows);
  state.pre.assign(num_rows * n1, 0.0);
  state.hidden.assign(num_rows * f, 0.0);
  state.output.assign(num_rows * d, 0.0);
  std::vector<double> outputs(inputs.size(), 0.0);
  for (std::size_t at = 0; at < state.plan.dst_row.size(); ++at) {
    if (state.plan.dst_row[at] == kDropped) continue;
    const auto row = static_cast<std::size_t>(state.plan.dst_row[at]);
    const auto expert = static_cast<std::size_t>(state.routing.experts[at]);
    const std::size_t token = at / top_k;
    const std::span<double> pre{&state.pre[row * n1], n1};
    const std::span<double> hidden{&state.hidden[row * f], f};
    const std::span<double> output{&state.output[row * d], d};
    multiply({&weights.w1[expert * n1 * d], n1 * d}, inputs.subspan(token * d, d), pre);
    for (std::size_t j = 0; j < f; ++j) {
      const int column = static_cast<int>(j);
      hidden[j] = activation(spec.activation,
                             pre[static_cast<std::size_t>(first_row(shape, column, false))],
                             pre[static_cast<std::size_t>(first_row(shape, column, true))]) *
                  reference_dropout(spec, step, state.plan, row, j);
    }
    multiply({&weights.w2[expert * d * f], d * f}, hidden, output);
    for (std::size_t i = 0; i < d; ++i)
      outputs[token * d + i] += state.routing.gates[at] * output[i];
  }
  return outputs;
}

}  // namespace switchyard::kernels
