#pragma once

#include <span>
#include <vector>

#include "kernels/train/train_spec.hpp"

namespace switchyard::kernels {

/// Weights in float32 and what the optimizer keeps for them.
class MasterWeights {
 public:
  MasterWeights() = default;
  explicit MasterWeights(std::vector<float> numbers) : numbers_{std::move(numbers)} {}

  /// One step: SGD subtracts learning_rate * gradient; Adam has betas 0.9 and 0.999, epsilon 1e-8.
  /// @param gradient  as many numbers
  /// Source: Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
  void update(Optimizer optimizer, double learning_rate, std::span<const float> gradient);

  [[nodiscard]] const std::vector<float>& numbers() const { return numbers_; }

 private:
  std::vector<float> numbers_;
  std::vector<float> mean_;    ///< Adam's, of gradients
  std::vector<float> square_;  ///< Adam's, of their squares
  int num_steps_ = 0;
};

}  // namespace switchyard::kernels
