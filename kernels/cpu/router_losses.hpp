#pragma once

#include <cstdint>

#include "kernels/layer/buffer.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/routing.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// Tokens that losses are means over.
[[nodiscard]] std::int64_t tokens_of_losses(const StepContext& step, std::int64_t num_tokens);

/// Fills in aux_loss and z_loss from probabilities, log_sum_exp and experts.
template <class Real>
void compute_losses(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    BasicRouting<Real>& routing);

/// Gradient of the auxiliary loss by each probability, the same for all tokens of a group:
/// alpha * E / batch_tokens * (share of the group's tokens whose first choice is e); (groups, E).
template <class Real>
[[nodiscard]] Buffer<Real> aux_loss_slopes(const MoeLayerSpec& spec, const StepContext& step,
                                           std::int64_t num_tokens,
                                           const Buffer<std::int32_t>& experts);

}  // namespace switchyard::kernels
