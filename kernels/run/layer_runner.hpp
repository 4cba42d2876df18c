#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/comm/gather.hpp"
#include "kernels/ranks/rank_layer.hpp"
#include "kernels/run/given_choices.hpp"
#include "kernels/run/layer_inputs.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {

/// One step of one rank.
struct StepTimes {
  PhaseTimes phases;
  double forward_s = 0.0;
  double backward_s = 0.0;
  double step_s = 0.0;
};

template <class T>
struct RunLayer {
  MoeWeights<T> weights;
  Buffer<T> inputs;
  Buffer<T> outputs;
  Buffer<T> d_outputs;
  Buffer<T> d_inputs;
  RankLayerState<T> state;
  MoeGradients gradients;
};

/// The layers of a run on one rank. T is float or BFloat16.
template <class T>
class LayerRunner {
 public:
  LayerRunner(const RunSpec& spec, const RankGroups& groups)
      : spec_{spec},
        groups_{groups},
        layer_{spec.layer, groups, CpuBackend{spec.threads}, spec.chunks},
        layers_(static_cast<std::size_t>(spec.layers)) {
    for (std::size_t l = 0; l < layers_.size(); ++l) fill(layers_[l], context(l, 0));
  }

  StepTimes step(int number) {
    StepTimes times;
    groups_.all->barrier();
    add_time(times.step_s, [&] {
      add_time(times.forward_s, [&] {
        for (std::size_t l = 0; l < layers_.size(); ++l) {
          RunLayer<T>& of = layers_[l];
          rank_layer_forward<T>(layer_, context(l, number), of.weights, of.inputs, of.outputs,
                                of.state, times.phases);
        }
      });
      if (spec_.mode == RunMode::kForward) return;
      add_time(times.backward_s, [&] {
        for (std::size_t l = layers_.size(); l-- > 0;) {
          RunLayer<T>& of = layers_[l];
          rank_layer_backward<T>(layer_, context(l, number), of.weights, of.inputs, of.state,
                                 of.d_outputs, scratch_, of.d_inputs, of.gradients, times.phases);
        }
      });
      for (RunLayer<T>& of : layers_)
        all_reduce_gradients(groups_, of.gradients, reduce_, times.phases);
    });
    return times;
  }

  /// @throws KernelError (kSpec) unless the last step's choices are those of the run's trace.
  void check_choices() const {
    if (spec_.routing != InputRouting::kTrace) return;
    const std::int64_t first_token = spec_.tokens_per_rank * groups_.place.data;
    const auto top_k = static_cast<std::size_t>(spec_.layer.router.top_k);
    for (std::size_t l = 0; l < layers_.size(); ++l)
      for (std::int64_t t = 0; t < spec_.tokens_per_rank; ++t) {
        const auto asked = given_choices(spec_, l, first_token + t);
        const auto* chosen =
            layers_[l].state.routing.experts.data() + static_cast<std::size_t>(t) * top_k;
        if (!std::equal(asked.begin(), asked.end(), chosen))
          throw KernelError{Fault::kSpec, "trace: layer " + std::to_string(l) + ", token " +
                                              std::to_string(first_token + t) +
                                              ": the router chose otherwise; is jitter " +
                                              "too strong?"};
      }
  }

  /// Adds up what the last step did.
  void count(RunMeasurement& measurement) {
    double losses[2] = {};
    for (const RunLayer<T>& of : layers_) {
      const DispatchPlan& plan = of.state.plan;
      std::vector<std::int64_t> choices(plan.num_chosen.begin(), plan.num_chosen.end());
      std::vector<std::int64_t> rows;
      for (std::size_t e = 0; e < choices.size(); ++e)
        rows.push_back(plan.offsets[e + 1] - plan.offsets[e]);
      measurement.expert_choices.push_back(sum_over_ranks<std::int64_t>(*groups_.data, choices));
      measurement.expert_rows.push_back(sum_over_ranks<std::int64_t>(*groups_.data, rows));
      losses[0] += of.state.routing.aux_loss;
      losses[1] += of.state.routing.z_loss;
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

  void fill(RunLayer<T>& of, const StepContext& at) {
    const MoeLayerSpec& layer = spec_.layer;
    initialise_router(layer.num_experts, layer.d_model, spec_.seed, at.layer, of.weights.router);
    initialise_experts(local_experts(spec_.partition, layer),
                       expert_part(spec_.partition, layer, groups_.place), spec_.seed, at.layer,
                       of.weights.experts);
    of.inputs = make_inputs<T>(spec_, at, of.weights.router);
    of.d_outputs = make_output_gradients<T>(spec_, at);
    of.outputs.resize(of.inputs.size());
    of.d_inputs.resize(of.inputs.size());
  }

  const RunSpec& spec_;
  const RankGroups& groups_;
  RankLayer layer_;
  std::vector<RunLayer<T>> layers_;
  RankBackwardScratch<T> scratch_;
  ReduceScratch<float> reduce_;
};

}  // namespace switchyard::kernels
