#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/comm/gather.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/ranks/rank_layer.hpp"
#include "kernels/run/given_choices.hpp"
#include "kernels/run/layer_inputs.hpp"
#include "kernels/run/run_backend.hpp"

namespace switchyard::kernels {

template <class Backend, class T>
struct RunLayer {
  RankWeights<Backend, T> weights;
  RankMemory<Backend, T> inputs;
  RankMemory<Backend, T> outputs;
  RankMemory<Backend, T> d_outputs;
  RankMemory<Backend, T> d_inputs;
  BasicRankState<Backend, T> state;
  RankGradients<Backend> gradients;
};

/// For a backend whose functions, as in cpu_rank.hpp, are declared before. T is float or BFloat16.
template <class Backend, class T>
class LayerRunner final : public RunLayers {
 public:
  LayerRunner(const RunSpec& spec, const BasicRankLayer<Backend>& layer)
      : spec_{spec},
        groups_{layer.groups},
        layer_{layer},
        layers_(static_cast<std::size_t>(spec.layers)) {
    for (std::size_t l = 0; l < layers_.size(); ++l) fill(layers_[l], context(l, 0));
  }

  [[nodiscard]] StepTimes step(int number) override {
    StepTimes times;
    groups_.all->barrier();
    add_time(times.step_s, [&] {
      add_time(times.forward_s, [&] {
        for (std::size_t l = 0; l < layers_.size(); ++l) {
          RunLayer<Backend, T>& of = layers_[l];
          rank_layer_forward<T>(layer_, context(l, number), of.weights, of.inputs, of.outputs,
                                of.state, times.phases);
        }
      });
      if (spec_.mode == RunMode::kForward) return;
      add_time(times.backward_s, [&] {
        for (std::size_t l = layers_.size(); l-- > 0;) {
          RunLayer<Backend, T>& of = layers_[l];
          rank_layer_backward<T>(layer_, context(l, number), of.weights, of.inputs, of.state,
                                 of.d_outputs, scratch_, of.d_inputs, of.gradients, times.phases);
        }
      });
      for (RunLayer<Backend, T>& of : layers_)
        all_reduce_gradients(groups_, of.gradients, reduce_, times.phases);
    });
    return times;
  }

  void check_choices() override {
    if (spec_.routing != InputRouting::kTrace) return;
    const std::int64_t first_token = spec_.tokens_per_rank * groups_.place.data;
    const auto top_k = static_cast<std::size_t>(spec_.layer.router.top_k);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const auto chosen = chosen_experts(layer_.backend, layers_[l].state.routing);
      for (std::int64_t t = 0; t < spec_.tokens_per_rank; ++t) {
        const auto asked = given_choices(spec_, l, first_token + t);
        if (!std::equal(asked.begin(), asked.end(),
                        chosen.begin() + t * static_cast<std::int64_t>(top_k)))
          throw KernelError{Fault::kSpec, "trace: layer " + std::to_string(l) + ", token " +
                                              std::to_string(first_token + t) +
                                              ": the router chose otherwise; is jitter " +
                                              "too strong?"};
      }
    }
  }

  void check_outputs() override {
    for (const RunLayer<Backend, T>& of : layers_)
      require_finite_outputs<T>(layer_.backend, of.outputs, spec_.layer.d_model);
  }

  void count(RunMeasurement& measurement) override {
    double losses[2] = {};
    for (const RunLayer<Backend, T>& of : layers_) {
      const RoutingCounts counts = routing_counts(layer_.backend, of.state.routing, of.state.plan);
      measurement.expert_choices.push_back(
          sum_over_ranks<std::int64_t>(*groups_.data, counts.choices));
      measurement.expert_rows.push_back(sum_over_ranks<std::int64_t>(*groups_.data, counts.rows));
      losses[0] += counts.aux_loss;
      losses[1] += counts.z_loss;
    }
    const auto sums = sum_over_ranks<double>(*groups_.data, losses);
    measurement.aux_loss = sums[0];
    measurement.z_loss = sums[1];
  }

 private:
  [[nodiscard]] StepContext context(std::size_t layer, int step) const {
    return {.seed = spec_.seed,
            .step = static_cast<std::uint64_t>(step),
            .layer = layer,
            .first_token = spec_.tokens_per_rank * groups_.place.data,
            .batch_tokens = spec_.tokens_per_rank * spec_.partition.data};
  }

  void fill(RunLayer<Backend, T>& of, const StepContext& at) {
    const MoeLayerSpec& layer = spec_.layer;
    const ExpertShape shape = local_experts(spec_.partition, layer);
    MoeWeights<T> weights;
    initialise_router(layer.num_experts, layer.d_model, spec_.seed, at.layer, weights.router);
    initialise_experts(shape, expert_part(spec_.partition, layer, groups_.place), spec_.seed,
                       at.layer, weights.experts);
    put_numbers(layer_.backend, make_inputs<T>(spec_, at, weights.router), of.inputs);
    put_numbers(layer_.backend, make_output_gradients<T>(spec_, at), of.d_outputs);
    put_weights(layer_.backend, layer, shape, std::move(weights), of.weights);
    of.outputs.resize(of.inputs.size());
    of.d_inputs.resize(of.inputs.size());
  }

  const RunSpec& spec_;
  const RankGroups& groups_;
  BasicRankLayer<Backend> layer_;
  std::vector<RunLayer<Backend, T>> layers_;
  BasicRankScratch<Backend, T> scratch_;
  typename RankTypes<Backend>::template Reduce<float> reduce_;
};

/// With the numbers that the precision stores.
template <class Backend>
[[nodiscard]] std::unique_ptr<RunLayers> make_layer_runner(const RunSpec& spec,
                                                           const BasicRankLayer<Backend>& layer) {
  if (stores_bfloat16(spec.layer.precision))
    return std::make_unique<LayerRunner<Backend, BFloat16>>(spec, layer);
  return std::make_unique<LayerRunner<Backend, float>>(spec, layer);
}

}  // namespace switchyard::kernels
