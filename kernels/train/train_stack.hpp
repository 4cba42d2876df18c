#pragma once

#include <vector>

#include "kernels/comm/all_reduce.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/ranks/rank_layer.hpp"
#include "kernels/train/cluster_tokens.hpp"
#include "kernels/train/master_weights.hpp"
#include "kernels/train/readout.hpp"
#include "kernels/train/train.hpp"

namespace switchyard::kernels {

/// hidden[l + 1] = hidden[l] + layer l(hidden[l]), from the tokens to the readout. T, float or
/// BFloat16, is what hidden numbers and the experts' weights are stored in.
template <class T>
class TrainStack {
 public:
  TrainStack(const TrainSpec& spec, const RankGroups& groups);

  /// Forward, backward and an update of all weights.
  [[nodiscard]] TrainStep step(int number, const LabelledTokens& tokens);

  /// @throws KernelError (kNotFinite) for a NaN or Inf in this rank's weights: "layer 1: w2 is not
  /// finite after the last update"
  void require_finite_weights() const;

  /// Choices of the last step on this data rank, (layers, T, k).
  [[nodiscard]] std::vector<std::int16_t> choices() const;

 private:
  struct Layer {
    MasterWeights router;
    MasterWeights w1;
    MasterWeights w2;
    MoeWeights<T> weights;  ///< rounded copies of the masters
    RankLayerState<T> state;
    MoeGradients gradients;
  };

  [[nodiscard]] StepContext context(std::size_t layer, int step) const;
  void forward(int number, const LabelledTokens& tokens);
  void backward(int number, std::span<const float> d_hidden);
  void update(const Buffer<float>& d_readout);
  [[nodiscard]] TrainStep summary(const ReadoutLoss& loss);

  const TrainSpec& spec_;
  const RankGroups& groups_;
  RankLayer layer_;
  std::vector<Layer> layers_;
  MasterWeights readout_;
  std::vector<Buffer<T>> hidden_;  ///< (layers + 1) of (T, d_model)
  Buffer<T> outputs_;
  RankBackwardScratch<T> scratch_;
  ReduceScratch<float> reduce_;
};

}  // namespace switchyard::kernels
