#include <cmath>

#include "kernels/cpu/choose_experts.hpp"
#include "kernels/cpu/reference_layer.hpp"
#include "kernels/cpu/router_losses.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {
namespace {

/// Derivatives of activation(gate) * up.
struct Slopes {
  double by_gate;
  double by_up;
};

Slopes activation_slopes(Activation kind, double gate, double up) {
  if (kind == Activation::kRelu) return {0.0, up <= 0.0 ? 0.0 : 1.0};
  if (kind == Activation::kSwiglu) {
    const double sigmoid = 1.0 / (1.0 + std::exp(-gate));
    return {up * sigmoid * (1.0 + gate * (1.0 - sigmoid)), gate * sigmoid};
  }
  constexpr double kRoot = 0.79788456080286536;  // sqrt(2 / pi)
  const double tanh = std::tanh(kRoot * (gate + 0.044715 * gate * gate * gate));
  const double inner_slope = kRoot * (1.0 + 3.0 * 0.044715 * gate * gate);
  return {up * (0.5 * (1.0 + tanh) + 0.5 * gate * (1.0 - tanh * tanh) * inner_slope),
          0.5 * gate * (1.0 + tanh)};
}

/// Adds matrix^T @ d to d_vector and d outer vector to d_matrix.
void multiply_backward(const double* matrix, std::span<const double> vector,
                       std::span<const double> d, double* d_vector, double* d_matrix) {
  for (std::size_t i = 0; i < d.size(); ++i)
    for (std::size_t j = 0; j < vector.size(); ++j) {
      d_vector[j] += matrix[i * vector.size() + j] * d[i];
      d_matrix[i * vector.size() + j] += d[i] * vector[j];
    }
}

void experts_backward(const MoeLayerSpec& spec, const StepContext& step,
                      const ReferenceWeights& weights, std::span<const double> inputs,
                      const ReferenceState& state, std::span<const double> d_outputs,
                      ReferenceGradients& gradients) {
  const ExpertShape shape = expert_shape(spec);
  const auto d = static_cast<std::size_t>(spec.d_model);
  const auto f = static_cast<std::size_t>(spec.d_ff);
  const auto n1 = static_cast<std::size_t>(num_first_rows(shape));
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  std::vector<double> d_output(d);
  for (std::size_t at = 0; at < state.plan.dst_row.size(); ++at) {
    if (state.plan.dst_row[at] == kDropped) continue;
    const auto row = static_cast<std::size_t>(state.plan.dst_row[at]);
    const auto expert = static_cast<std::size_t>(state.routing.experts[at]);
    const std::size_t token = at / top_k;
    for (std::size_t i = 0; i < d; ++i) {
      gradients.d_gates[at] += d_outputs[token * d + i] * state.output[row * d + i];
      d_output[i] = d_outputs[token * d + i] * state.routing.gates[at];
    }
    std::vector<double> d_hidden(f, 0.0);
    std::vector<double> d_pre(n1, 0.0);
    multiply_backward(&weights.w2[expert * d * f], {&state.hidden[row * f], f}, d_output,
                      d_hidden.data(), &gradients.weights.w2[expert * d * f]);
    for (std::size_t j = 0; j < f; ++j) {
      const auto gate = static_cast<std::size_t>(first_row(shape, static_cast<int>(j), false));
      const auto up = static_cast<std::size_t>(first_row(shape, static_cast<int>(j), true));
      const double upper = d_hidden[j] * reference_dropout(spec, step, state.plan, row, j);
      const Slopes slopes =
          activation_slopes(spec.activation, state.pre[row * n1 + gate], state.pre[row * n1 + up]);
      if (is_glu(spec.activation)) d_pre[gate] = upper * slopes.by_gate;
      d_pre[up] = upper * slopes.by_up;
    }
    multiply_backward(&weights.w1[expert * n1 * d], inputs.subspan(token * d, d), d_pre,
                      &gradients.inputs[token * d], &gradients.weights.w1[expert * n1 * d]);
  }
}

void router_backward(const MoeLayerSpec& spec, const StepContext& step,
                     const ReferenceWeights& weights, std::span<const double> inputs,
                     const BasicRouting<double>& routing, ReferenceGradients& gradients) {
  const auto d = static_cast<std::size_t>(spec.d_model);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  const std::size_t num_tokens = inputs.size() / d;
  const auto count = static_cast<std::int64_t>(num_tokens);
  const auto slopes = aux_loss_slopes<double>(spec, step, count, routing.experts);
  const auto group_tokens = static_cast<std::size_t>(token_groups(spec, count).group_tokens);
  const double mean_weight = 1.0 / static_cast<double>(tokens_of_losses(step, count));
  for (std::size_t t = 0; t < num_tokens; ++t) {
    const double* p = routing.probabilities.data() + t * num_experts;
    const std::span<double> d_logits{&gradients.d_logits[t * num_experts], num_experts};
    const double* aux = slopes.data() + t / group_tokens * num_experts;
    std::vector<double> d_p(aux, aux + num_experts);
    gates_backward<double>(spec.router, {routing.logits.data() + t * num_experts, num_experts},
                           {routing.experts.data() + t * top_k, top_k},
                           {routing.gates.data() + t * top_k, top_k},
                           {&gradients.d_gates[t * top_k], top_k}, d_logits, d_p);
    const double z = 2.0 * spec.router.z_loss_weight * mean_weight * routing.log_sum_exp[t];
    double mean = 0.0;
    for (std::size_t e = 0; e < num_experts; ++e) mean += p[e] * d_p[e];
    for (std::size_t e = 0; e < num_experts; ++e) d_logits[e] += p[e] * (d_p[e] - mean + z);
    for (std::size_t e = 0; e < num_experts; ++e)
      for (std::size_t i = 0; i < d; ++i) {
        const double jitter = reference_jitter(spec, step, t * d + i);
        gradients.weights.router[e * d + i] += d_logits[e] * inputs[t * d + i] * jitter;
        gradients.inputs[t * d + i] += d_logits[e] * weights.router[e * d + i] * jitter;
      }
  }
}

}  // namespace

ReferenceGradients reference_backward(const MoeLayerSpec& spec, const StepContext& step,
                                      const ReferenceWeights& weights,
                                      std::span<const double> inputs, const ReferenceState& state,
                                      std::span<const double> d_outputs) {
  ReferenceGradients gradients;
  gradients.weights.router.assign(weights.router.size(), 0.0);
  gradients.weights.w1.assign(weights.w1.size(), 0.0);
  gradients.weights.w2.assign(weights.w2.size(), 0.0);
  gradients.inputs.assign(inputs.size(), 0.0);
  gradients.d_gates.assign(state.routing.gates.size(), 0.0);
  gradients.d_logits.assign(state.routing.logits.size(), 0.0);
  experts_backward(spec, step, weights, inputs, state, d_outputs, gradients);
  router_backward(spec, step, weights, inputs, state.routing, gradients);
  return gradients;
}

}  // namespace switchyard::kernels
