#include "kernels/cpu/choose_experts.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {
namespace {

bool keeps_second(const RouterSpec& spec, const StepContext& step, std::int64_t token,
                  double gate) {
  switch (spec.second_choice) {
    case SecondChoice::kAlways:
      return true;
    case SecondChoice::kThreshold:
      return gate > spec.second_threshold;
    case SecondChoice::kRandom: {
      const auto stream = random_stream(step, RandomUse::kSecondChoice);
      const double draw = uniform_at(stream, static_cast<std::uint64_t>(token));
      // The guard against a threshold of 0 is Mesh TensorFlow's.
      return draw < gate / std::max(spec.second_threshold, 1e-9);
    }
    case SecondChoice::kNever:
      break;
  }
  return false;
}

}  // namespace

template <class Real>
std::int32_t best_expert(std::span<const Real> logits, std::span<const std::int32_t> chosen) {
  std::int32_t best = kNoExpert;
  for (std::int32_t e = 0; e < static_cast<std::int32_t>(logits.size()); ++e) {
    const auto is_better = best == kNoExpert || logits[static_cast<std::size_t>(e)] >
                                                    logits[static_cast<std::size_t>(best)];
    if (is_better && std::ranges::find(chosen, e) == chosen.end()) best = e;
  }
  return best;
}

template <class Real>
void choose_experts(const RouterSpec& spec, const StepContext& step, const TokenLogits<Real>& token,
                    std::span<std::int32_t> experts, std::span<Real> gates) {
  for (std::size_t j = 0; j < experts.size(); ++j)
    experts[j] = best_expert(token.logits, experts.first(j));
  Real sum = 0;
  for (std::size_t j = 0; j < experts.size(); ++j) {
    const auto e = static_cast<std::size_t>(experts[j]);
    // Over the logits: probabilities may all have vanished but the first.
    gates[j] = spec.renormalized
                   ? std::exp(token.logits[e] - token.logits[static_cast<std::size_t>(experts[0])])
                   : token.probabilities[e];
    sum += gates[j];
  }
  if (spec.renormalized)
    for (Real& gate : gates) gate /= sum;
  if (experts.size() != 2 || keeps_second(spec, step, token.token, gates[1])) return;
  experts[1] = kNoExpert;
  gates[1] = 0;
}

template <class Real>
void gates_backward(const RouterSpec& spec, std::span<const Real> logits,
                    std::span<const std::int32_t> experts, std::span<const Real> gates,
                    std::span<const Real> d_gates, std::span<Real> d_logits,
                    std::span<Real> d_probabilities) {
  if (!spec.renormalized) {
    for (std::size_t j = 0; j < experts.size(); ++j)
      if (experts[j] != kNoExpert)
        d_probabilities[static_cast<std::size_t>(experts[j])] += d_gates[j];
    return;
  }
  Real mean = 0;
  for (std::size_t j = 0; j < experts.size(); ++j)
    if (experts[j] != kNoExpert) mean += gates[j] * d_gates[j];
  for (std::size_t j = 0; j < experts.size(); ++j) {
    if (experts[j] != kNoExpert) {
      d_logits[static_cast<std::size_t>(experts[j])] += gates[j] * (d_gates[j] - mean);
      continue;
    }
    // A second choice that is not used still shares the softmax of the first.
    const auto second = static_cast<std::size_t>(best_expert(logits, experts.first(1)));
    d_logits[second] -= (1 - gates[0]) * mean;
  }
}

template std::int32_t best_expert(std::span<const float>, std::span<const std::int32_t>);
template std::int32_t best_expert(std::span<const double>, std::span<const std::int32_t>);
template void choose_experts(const RouterSpec&, const StepContext&, const TokenLogits<float>&,
                             std::span<std::int32_t>, std::span<float>);
template void choose_experts(const RouterSpec&, const StepContext&, const TokenLogits<double>&,
                             std::span<std::int32_t>, std::span<double>);
template void gates_backward(const RouterSpec&, std::span<const float>,
                             std::span<const std::int32_t>, std::span<const float>,
                             std::span<const float>, std::span<float>, std::span<float>);
template void gates_backward(const RouterSpec&, std::span<const double>,
                             std::span<const std::int32_t>, std::span<const double>,
                             std::span<const double>, std::span<double>, std::span<double>);

}  // namespace switchyard::kernels
