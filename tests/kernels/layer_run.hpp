#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/check/numbers.hpp"
#include "kernels/cpu/moe_layer.hpp"
#include "kernels/cpu/reference_layer.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// NaN everywhere: what a kernel does not write is seen.
template <class T>
void poison(Buffer<T>& buffer, std::size_t size) {
  buffer.resize(size);
  std::ranges::fill(buffer, from_float<T>(std::numeric_limits<float>::quiet_NaN()));
}

template <class T>
MoeWeights<T> random_weights(const MoeLayerSpec& spec, std::uint64_t seed) {
  MoeWeights<T> weights;
  // Scale 1, not 0.1, so that neither gates nor hidden numbers are all alike.
  initialise_experts(expert_shape(spec), {}, seed, 0, weights.experts, 1.0);
  initialise_router(spec.num_experts, spec.d_model, seed, 0, weights.router, 4.0);
  return weights;
}

template <class T>
ReferenceWeights reference_weights(const MoeWeights<T>& weights) {
  return {.router = in_double(weights.router),
          .w1 = in_double(weights.experts.w1),
          .w2 = in_double(weights.experts.w2)};
}

/// One layer, forward and backward, every output poisoned first.
template <class T>
struct LayerRun {
  MoeWeights<T> weights;
  Buffer<T> inputs;
  Buffer<T> d_outputs;
  LayerState<T> state;
  Buffer<T> outputs;
  Buffer<T> d_inputs;
  MoeGradients gradients;
};

template <class T>
void poison_all(const MoeLayerSpec& spec, LayerRun<T>& run) {
  const std::size_t num_tokens = run.inputs.size() / static_cast<std::size_t>(spec.d_model);
  const std::size_t rows = num_tokens * static_cast<std::size_t>(spec.router.top_k);
  poison(run.outputs, run.inputs.size());
  poison(run.d_inputs, run.inputs.size());
  poison(run.state.rows, rows * static_cast<std::size_t>(spec.d_model));
  poison(run.state.experts.pre,
         rows * static_cast<std::size_t>(num_first_rows(expert_shape(spec))));
  poison(run.state.experts.hidden, rows * static_cast<std::size_t>(spec.d_ff));
  poison(run.state.experts.output, rows * static_cast<std::size_t>(spec.d_model));
  poison(run.gradients.router, run.weights.router.size());
  poison(run.gradients.w1, run.weights.experts.w1.size());
  poison(run.gradients.w2, run.weights.experts.w2.size());
}

/// A router of zeros but for expert 0 where `one_hot`: all tokens choose it first.
template <class T>
LayerRun<T> run_layer(const MoeLayerSpec& spec, std::int64_t num_tokens, int num_threads = 2,
                      const StepContext& step = {.seed = 3}, bool one_hot = false) {
  LayerRun<T> run;
  const auto size = static_cast<std::size_t>(num_tokens * spec.d_model);
  run.weights = random_weights<T>(spec, 11);
  run.inputs = uniform_numbers<T>(size, 21);
  run.d_outputs = uniform_numbers<T>(size, 31);
  if (one_hot) {
    // The first input is 1 for all tokens, and only expert 0 looks at it.
    std::ranges::fill(run.weights.router, 0.0F);
    run.weights.router[0] = 5.0F;
    for (std::size_t t = 0; t < size; t += static_cast<std::size_t>(spec.d_model))
      run.inputs[t] = from_float<T>(1.0F);
  }
  poison_all(spec, run);
  const CpuBackend cpu{num_threads};
  layer_forward<T>(spec, step, cpu, run.weights, run.inputs, run.outputs, run.state);
  BackwardScratch<T> scratch;
  poison(scratch.d_rows, size * static_cast<std::size_t>(spec.router.top_k));
  layer_backward<T>(spec, step, cpu, run.weights, run.inputs, run.state, run.d_outputs, scratch,
                    run.d_inputs, run.gradients);
  return run;
}

}  // namespace switchyard::kernels
