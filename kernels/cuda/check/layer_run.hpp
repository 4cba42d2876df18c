#pragma once

#include "kernels/cpu/reference_layer.hpp"
#include "kernels/cuda/check/numbers.hpp"
#include "kernels/cuda/moe_layer.hpp"

namespace switchyard::kernels {

/// A layer, its inputs on both sides and what the device made of them, every output poisoned first.
template <class T>
struct DeviceLayerRun {
  MoeLayerSpec spec;
  StepContext step;
  MoeWeights<T> weights;
  Buffer<T> inputs;     ///< (T, d_model)
  Buffer<T> d_outputs;  ///< (T, d_model)
  DeviceMoeWeights<T> device_weights;
  DeviceBuffer<T> device_inputs;
  DeviceBuffer<T> device_d_outputs;
  DeviceLayerState<T> state;
  DeviceBackwardScratch<T> scratch;
  DeviceMoeGradients device_gradients;
  DeviceBuffer<T> device_outputs;
  DeviceBuffer<T> device_d_inputs;

  Routing routing;
  DispatchPlan plan;
  Buffer<T> outputs;
  Buffer<T> d_inputs;
  MoeGradients gradients;
};

/// Draws weights and inputs and copies them. With `one_hot` all tokens choose expert 0 first.
template <class T>
void prepare(CudaBackend& cuda, std::int64_t num_tokens, bool one_hot, DeviceLayerRun<T>& run) {
  const MoeLayerSpec& spec = run.spec;
  // Scale 1, not 0.1, so that neither gates nor hidden numbers are all alike.
  initialise_experts(expert_shape(spec), {}, 11, 0, run.weights.experts, 1.0);
  initialise_router(spec.num_experts, spec.d_model, 11, 0, run.weights.router, 4.0);
  const auto d = static_cast<std::size_t>(spec.d_model);
  const auto size = static_cast<std::size_t>(num_tokens) * d;
  run.inputs = uniform_numbers<T>(size, 21);
  run.d_outputs = uniform_numbers<T>(size, 31);
  if (one_hot) {
    for (float& w : run.weights.router) w = 0.0F;
    run.weights.router[0] = 5.0F;
    for (std::size_t t = 0; t < size; t += d) run.inputs[t] = from_float<T>(1.0F);
  }
  upload(cuda, spec, run.weights, run.device_weights);
  copy_to_device<T>(run.inputs, run.device_inputs, cuda.stream());
  copy_to_device<T>(run.d_outputs, run.device_d_outputs, cuda.stream());
}

template <class T>
void poison_outputs(CudaBackend& cuda, DeviceLayerRun<T>& run) {
  const auto again = [&](auto& buffer) { poison(buffer, buffer.size(), cuda.stream()); };
  const auto num_tokens = static_cast<std::int64_t>(run.inputs.size()) / run.spec.d_model;
  resize_state(run.spec, run.step, num_tokens, run.state);
  resize_scratch(run.spec, run.step, num_tokens, run.device_weights, run.scratch,
                 run.device_gradients);
  run.device_outputs.resize(run.inputs.size());
  run.device_d_inputs.resize(run.inputs.size());
  again(run.state.routing.gates);
  again(run.state.routing.probabilities);
  again(run.state.rows);
  again(run.state.experts.pre);
  again(run.state.experts.hidden);
  again(run.state.experts.output);
  again(run.scratch.d_output_rows);
  again(run.scratch.d_rows);
  again(run.scratch.d_hidden);
  again(run.scratch.d_pre);
  again(run.scratch.d_gates);
  again(run.scratch.d_router_inputs);
  again(run.device_gradients.router);
  again(run.device_gradients.w1);
  again(run.device_gradients.w2);
  again(run.device_outputs);
  again(run.device_d_inputs);
}

template <class T>
void forward(CudaBackend& cuda, DeviceLayerRun<T>& run) {
  layer_forward<T>(run.spec, run.step, cuda, run.device_weights, run.device_inputs,
                   run.device_outputs, run.state);
}

template <class T>
void backward(CudaBackend& cuda, DeviceLayerRun<T>& run) {
  layer_backward<T>(run.spec, run.step, cuda, run.device_weights, run.device_inputs, run.state,
                    run.device_d_outputs, run.scratch, run.device_d_inputs, run.device_gradients);
}

template <class T>
void fetch(CudaBackend& cuda, DeviceLayerRun<T>& run) {
  download(cuda, run.state.routing, run.routing);
  download(cuda, run.state.plan, run.plan);
  download(cuda, run.device_weights.experts.shape, run.device_gradients, run.gradients);
  run.outputs = on_host(run.device_outputs, cuda.stream());
  run.d_inputs = on_host(run.device_d_inputs, cuda.stream());
}

/// One pass forward and backward.
template <class T>
DeviceLayerRun<T> run_on_device(CudaBackend& cuda, const MoeLayerSpec& spec,
                                std::int64_t num_tokens, bool one_hot = false,
                                const StepContext& step = {.seed = 3, .first_token = 5}) {
  DeviceLayerRun<T> run;
  run.spec = spec;
  run.step = step;
  prepare(cuda, num_tokens, one_hot, run);
  poison_outputs(cuda, run);
  forward(cuda, run);
  require_finite_logits(cuda, spec, run.state.routing);
  backward(cuda, run);
  fetch(cuda, run);
  return run;
}

}  // namespace switchyard::kernels
