#include "kernels/train/train_stack.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/comm/gather.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {
namespace {

template <class Number>
MasterWeights masters(const Buffer<Number>& first) {
  std::vector<float> numbers(first.size());
  std::ranges::transform(first, numbers.begin(), [](Number x) { return to_float(x); });
  return MasterWeights{std::move(numbers)};
}

template <class Number>
void round_to(const MasterWeights& from, Buffer<Number>& to) {
  to.resize(from.numbers().size());
  std::ranges::transform(from.numbers(), to.begin(), [](float x) { return from_float<Number>(x); });
}

/// Of a data rank's tokens.
std::size_t num_numbers(const TrainSpec& spec) {
  return static_cast<std::size_t>(spec.tokens_per_rank) *
         static_cast<std::size_t>(spec.layer.d_model);
}

/// sums[i] += addends[i], in float.
template <class T>
void add(const Buffer<T>& addends, Buffer<T>& sums) {
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] = from_float<T>(to_float(sums[i]) + to_float(addends[i]));
}

}  // namespace

template <class T>
TrainStack<T>::TrainStack(const TrainSpec& spec, const RankGroups& groups)
    : spec_{spec},
      groups_{groups},
      layer_{spec.layer, groups, CpuBackend{spec.threads}, spec.chunks},
      layers_(static_cast<std::size_t>(spec.layers)),
      hidden_(layers_.size() + 1),
      outputs_(num_numbers(spec)) {
  for (Buffer<T>& hidden : hidden_) hidden.resize(outputs_.size());
  const MoeLayerSpec& layer = spec.layer;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    // Drawn in float, so that masters are not yet rounded.
    MoeWeights<float> first;
    initialise_router(layer.num_experts, layer.d_model, spec.seed, l, first.router);
    initialise_experts(local_experts(spec.partition, layer),
                       expert_part(spec.partition, layer, groups.place), spec.seed, l,
                       first.experts);
    layers_[l].router = masters(first.router);
    layers_[l].w1 = masters(first.experts.w1);
    layers_[l].w2 = masters(first.experts.w2);
  }
  Buffer<float> readout;
  initialise_router(spec.tokens.num_classes, layer.d_model, spec.seed, layers_.size(), readout);
  readout_ = masters(readout);
}

template <class T>
StepContext TrainStack<T>::context(std::size_t layer, int step) const {
  return {.seed = spec_.seed,
          .step = static_cast<std::uint64_t>(step),
          .layer = layer,
          .first_token = spec_.tokens_per_rank * groups_.place.data,
          .batch_tokens = spec_.tokens_per_rank * spec_.partition.data};
}

template <class T>
void TrainStack<T>::forward(int number, const LabelledTokens& tokens) {
  std::ranges::transform(tokens.numbers, hidden_[0].begin(),
                         [](float x) { return from_float<T>(x); });
  PhaseTimes times;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& of = layers_[l];
    round_to(of.router, of.weights.router);
    round_to(of.w1, of.weights.experts.w1);
    round_to(of.w2, of.weights.experts.w2);
    rank_layer_forward<T>(layer_, context(l, number), of.weights, hidden_[l], outputs_, of.state,
                          times);
    std::ranges::copy(hidden_[l], hidden_[l + 1].begin());
    add(outputs_, hidden_[l + 1]);
  }
}

template <class T>
void TrainStack<T>::backward(int number, std::span<const float> d_hidden) {
  Buffer<T> d_outputs(d_hidden.size());
  Buffer<T> d_inputs(d_hidden.size());
  std::ranges::transform(d_hidden, d_outputs.begin(), [](float x) { return from_float<T>(x); });
  PhaseTimes times;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& of = layers_[l];
    rank_layer_backward<T>(layer_, context(l, number), of.weights, hidden_[l], of.state, d_outputs,
                           scratch_, d_inputs, of.gradients, times);
    add(d_inputs, d_outputs);
    all_reduce_gradients(groups_, of.gradients, reduce_, times);
  }
}

template <class T>
void TrainStack<T>::update(const Buffer<float>& d_readout) {
  const double rate = spec_.learning_rate;
  for (Layer& of : layers_) {
    of.router.update(spec_.optimizer, rate, of.gradients.router);
    of.w1.update(spec_.optimizer, rate, of.gradients.w1);
    of.w2.update(spec_.optimizer, rate, of.gradients.w2);
  }
  readout_.update(spec_.optimizer, rate, d_readout);
}

template <class T>
TrainStep TrainStack<T>::step(int number, const LabelledTokens& tokens) {
  forward(number, tokens);
  std::vector<float> last(hidden_.back().size());
  std::ranges::transform(hidden_.back(), last.begin(), [](T x) { return to_float(x); });
  Buffer<float> d_last(last.size());
  Buffer<float> d_readout(readout_.numbers().size());
  const auto batch_tokens = spec_.tokens_per_rank * spec_.partition.data;
  const ReadoutLoss loss =
      readout_loss(last, readout_.numbers(), tokens.classes, batch_tokens, d_last, d_readout);
  backward(number, d_last);
  all_reduce_sum<float>(*groups_.data, d_readout, reduce_);
  const TrainStep result = summary(loss);
  update(d_readout);
  return result;
}

template <class T>
TrainStep TrainStack<T>::summary(const ReadoutLoss& loss) {
  const auto tokens = static_cast<double>(spec_.tokens_per_rank * spec_.partition.data);
  double sums[] = {loss.cross_entropy, static_cast<double>(loss.num_right), 0.0};
  std::vector<std::int64_t> dropped;
  for (const Layer& of : layers_) {
    sums[2] += of.state.routing.aux_loss;
    dropped.push_back(of.state.plan.num_dropped);
  }
  const auto all = sum_over_ranks<double>(*groups_.data, sums);
  dropped = sum_over_ranks<std::int64_t>(*groups_.data, dropped);
  TrainStep step{.loss = all[0] / tokens, .aux_loss = all[2], .right_fraction = all[1] / tokens};
  double num_choices = 0.0;
  double num_dropped = 0.0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto& mine = layers_[l].state.plan.num_chosen;
    const std::vector<std::int64_t> chosen = sum_over_ranks<std::int64_t>(
        *groups_.data, std::vector<std::int64_t>(mine.begin(), mine.end()));
    step.layers.push_back(
        {.num_choices = std::accumulate(chosen.begin(), chosen.end(), std::int64_t{0}),
         .num_dropped = dropped[l],
         .largest_load = std::ranges::max(chosen)});
    num_choices += static_cast<double>(step.layers.back().num_choices);
    num_dropped += static_cast<double>(dropped[l]);
    step.load_max_over_mean += max_over_mean(chosen) / static_cast<double>(layers_.size());
  }
  if (num_choices > 0.0) step.dropped_fraction = num_dropped / num_choices;
  return step;
}

template <class T>
void TrainStack<T>::require_finite_weights() const {
  const auto require = [](const std::string& name, const MasterWeights& weights) {
    if (!std::ranges::all_of(weights.numbers(), [](float x) { return std::isfinite(x); }))
      throw KernelError{Fault::kNotFinite, name + " is not finite after the last update"};
  };
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const std::string layer = "layer " + std::to_string(l) + ": ";
    require(layer + "router", layers_[l].router);
    require(layer + "w1", layers_[l].w1);
    require(layer + "w2", layers_[l].w2);
  }
  require("readout", readout_);
}

template <class T>
std::vector<std::int16_t> TrainStack<T>::choices() const {
  std::vector<std::int16_t> result;
  for (const Layer& of : layers_)
    for (const std::int32_t expert : of.state.routing.experts)
      result.push_back(static_cast<std::int16_t>(expert));
  return result;
}

template class TrainStack<float>;
template class TrainStack<BFloat16>;

}  // namespace switchyard::kernels
