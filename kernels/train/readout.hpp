#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace switchyard::kernels {

/// Sums over one rank's tokens.
struct ReadoutLoss {
  double cross_entropy = 0.0;  ///< nat
  std::int64_t num_right = 0;  ///< tokens whose class has the largest logit
};

/// Cross entropy of softmax(hidden @ weights^T), and the gradients of its mean over batch_tokens.
/// @param hidden     (T, d_model)
/// @param weights    (num_classes, d_model)
/// @param classes    (T)
/// @param d_hidden   (T, d_model), overwritten
/// @param d_weights  (num_classes, d_model), overwritten: this rank's tokens' part
[[nodiscard]] ReadoutLoss readout_loss(std::span<const float> hidden,
                                       std::span<const float> weights, std::span<const int> classes,
                                       std::int64_t batch_tokens, std::span<float> d_hidden,
                                       std::span<float> d_weights);

}  // namespace switchyard::kernels
