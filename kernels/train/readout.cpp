#include "kernels/train/readout.hpp"

#include <algorithm>
#include <cmath>

namespace switchyard::kernels {

ReadoutLoss readout_loss(std::span<const float> hidden, std::span<const float> weights,
                         std::span<const int> classes, std::int64_t batch_tokens,
                         std::span<float> d_hidden, std::span<float> d_weights) {
  ReadoutLoss loss;
  if (classes.empty()) return loss;
  const std::size_t d = hidden.size() / classes.size();
  const std::size_t num_classes = weights.size() / d;
  const float scale = 1.0F / static_cast<float>(batch_tokens);
  std::ranges::fill(d_hidden, 0.0F);
  std::ranges::fill(d_weights, 0.0F);
  std::vector<float> logits(num_classes);
  for (std::size_t t = 0; t < classes.size(); ++t) {
    const float* token = hidden.data() + t * d;
    const auto right = static_cast<std::size_t>(classes[t]);
    for (std::size_t k = 0; k < num_classes; ++k) {
      logits[k] = 0.0F;
      for (std::size_t i = 0; i < d; ++i) logits[k] += weights[k * d + i] * token[i];
    }
    const auto best = std::ranges::max_element(logits);
    const float largest = *best;
    if (static_cast<std::size_t>(best - logits.begin()) == right) ++loss.num_right;
    float sum = 0.0F;
    for (const float logit : logits) sum += std::exp(logit - largest);
    loss.cross_entropy += static_cast<double>(largest + std::log(sum) - logits[right]);
    for (std::size_t k = 0; k < num_classes; ++k) {
      const float probability = std::exp(logits[k] - largest) / sum;
      const float d_logit = scale * (probability - (k == right ? 1.0F : 0.0F));
      for (std::size_t i = 0; i < d; ++i) {
        d_weights[k * d + i] += d_logit * token[i];
        d_hidden[t * d + i] += d_logit * weights[k * d + i];
      }
    }
  }
  return loss;
}

}  // namespace switchyard::kernels
