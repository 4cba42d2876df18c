#pragma once

#include <cstdint>
#include <span>

#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// One token as the gate sees it; Real is float or double.
template <class Real>
struct TokenLogits {
  std::span<const Real> logits;         ///< (E)
  std::span<const Real> probabilities;  ///< (E)
  std::int64_t token = 0;               ///< in the batch
};

/// Chooses experts by falling logit and computes their gates, as BasicRouting says.
/// @param experts  (k)
/// @param gates    (k)
template <class Real>
void choose_experts(const RouterSpec& spec, const StepContext& step, const TokenLogits<Real>& token,
                    std::span<std::int32_t> experts, std::span<Real> gates);

/// The best expert by logit among those not in `chosen`, the lower among equals; kNoExpert if none.
template <class Real>
[[nodiscard]] std::int32_t best_expert(std::span<const Real> logits,
                                       std::span<const std::int32_t> chosen);

/// Adds the gradient through the gates of one token.
/// @param d_gates          (k)
/// @param d_logits         (E), added to: through renormalized gates
/// @param d_probabilities  (E), added to: through other gates
template <class Real>
void gates_backward(const RouterSpec& spec, std::span<const Real> logits,
                    std::span<const std::int32_t> experts, std::span<const Real> gates,
                    std::span<const Real> d_gates, std::span<Real> d_logits,
                    std::span<Real> d_probabilities);

}  // namespace switchyard::kernels
