#include "kernels/train/master_weights.hpp"

#include <cmath>

namespace switchyard::kernels {

void MasterWeights::update(Optimizer optimizer, double learning_rate,
                           std::span<const float> gradient) {
  const auto rate = static_cast<float>(learning_rate);
  if (optimizer == Optimizer::kSgd) {
    for (std::size_t i = 0; i < numbers_.size(); ++i) numbers_[i] -= rate * gradient[i];
    return;
  }
  constexpr float kMeanDecay = 0.9F;
  constexpr float kSquareDecay = 0.999F;
  constexpr float kEpsilon = 1e-8F;
  mean_.resize(numbers_.size());
  square_.resize(numbers_.size());
  ++num_steps_;
  const float mean_scale = 1.0F / (1.0F - std::pow(kMeanDecay, static_cast<float>(num_steps_)));
  const float square_scale = 1.0F / (1.0F - std::pow(kSquareDecay, static_cast<float>(num_steps_)));
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    mean_[i] = kMeanDecay * mean_[i] + (1.0F - kMeanDecay) * gradient[i];
    square_[i] = kSquareDecay * square_[i] + (1.0F - kSquareDecay) * gradient[i] * gradient[i];
    numbers_[i] -= rate * mean_[i] * mean_scale / (std::sqrt(square_[i] * square_scale) + kEpsilon);
  }
}

}  // namespace switchyard::kernels
