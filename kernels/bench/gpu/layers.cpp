#include "kernels/bench/gpu/layers.hpp"

#include "kernels/bench/gpu/fill.hpp"
#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/cuda/moe_layer.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"

namespace switchyard::kernels {
namespace {

struct LayerData {
  StepContext step;
  DeviceMoeWeights<BFloat16> weights;
  DeviceBuffer<BFloat16> inputs, outputs, d_outputs, d_inputs;
  DeviceLayerState<BFloat16> state;
  DeviceBackwardScratch<BFloat16> scratch;
  DeviceMoeGradients gradients;
};

std::size_t numbers(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

void prepare(CudaBackend& cuda, const BenchShape& shape, LayerData& data) {
  const MoeLayerSpec& spec = shape.spec;
  const ExpertShape experts = device_expert_shape(spec);
  const std::int64_t num_experts = spec.num_experts;
  const cudaStream_t stream = cuda.stream();
  data.weights.experts.shape = experts;
  fill_random(data.weights.experts.w1, numbers(num_experts * num_first_rows(experts), spec.d_model),
              1, stream);
  fill_random(data.weights.experts.w2, numbers(num_experts * spec.d_model, spec.d_ff), 2, stream);
  fill_random(data.weights.router, numbers(num_experts, spec.d_model), 3, stream);
  split_router(cuda, spec, data.weights);
  const auto tokens = numbers(shape.num_tokens, spec.d_model);
  fill_random(data.inputs, tokens, 4, stream);
  fill_random(data.d_outputs, tokens, 5, stream);
  data.outputs.resize(tokens);
  data.d_inputs.resize(tokens);
  resize_state(spec, data.step, shape.num_tokens, data.state);
}

/// Runs phases of one layer under their names.
struct PhaseTimer {
  CudaBackend& cuda;
  const BenchShape& shape;
  BenchReport& report;
  TimingPlan plan;

  void operator()(const char* phase, double flop, double bytes,
                  const std::function<void()>& call) const {
    report.measure(cuda,
                   {.section = "layer",
                    .shape = shape.name,
                    .product = phase,
                    .implementation = "switchyard",
                    .flop = flop,
                    .bytes = bytes},
                   plan, [&](int) { call(); });
  }
};

/// FLOPs of the experts' forward pass.
double forward_flop(const BenchShape& shape) {
  const ExpertShape experts = expert_shape(shape.spec);
  return 2.0 * static_cast<double>(shape.num_rows()) * experts.d_model *
         (num_first_rows(experts) + experts.d_ff);
}

void bench_forward(CudaBackend& cuda, const BenchShape& shape, LayerData& data,
                   const PhaseTimer& time) {
  const MoeLayerSpec& spec = shape.spec;
  auto& state = data.state;
  const ExpertShape& experts = data.weights.experts.shape;
  const auto row_bytes = 2.0 * spec.d_model;
  const auto tokens = static_cast<double>(shape.num_tokens);
  const auto rows = static_cast<double>(shape.num_rows());
  time("layer_forward", forward_flop(shape), 0, [&] {
    layer_forward<BFloat16>(spec, data.step, cuda, data.weights, data.inputs, data.outputs, state);
  });
  time("route", 6.0 * tokens * spec.d_model * spec.num_experts, tokens * row_bytes,
       [&] { route<BFloat16>(spec, data.step, cuda, data.inputs, data.weights, state.routing); });
  time("plan", 0, 0, [&] { build_plan(spec, cuda, state.routing.experts, state.plan); });
  time("permute", 0, (tokens + rows) * row_bytes,
       [&] { permute<BFloat16>(state.plan, cuda, spec.d_model, data.inputs, state.rows); });
  const DeviceGroupedShape first{.offsets = state.plan.offsets.data(),
                                 .num_experts = spec.num_experts,
                                 .max_rows = state.plan.max_rows,
                                 .n = num_first_rows(experts),
                                 .k = spec.d_model};
  time("gemm1_activated", 2.0 * rows * spec.d_model * num_first_rows(experts), 0, [&] {
    grouped_forward_activated(first, experts, cuda, state.rows.data(),
                              data.weights.experts.w1.data(), state.experts.pre.data(),
                              state.experts.hidden.data());
  });
  DeviceGroupedShape second = first;
  second.n = spec.d_model;
  second.k = spec.d_ff;
  time("gemm2", 2.0 * rows * spec.d_model * spec.d_ff, 0, [&] {
    grouped_forward<BFloat16>(second, cuda, state.experts.hidden.data(),
                              data.weights.experts.w2.data(), state.experts.output.data());
  });
  time("combine", 0, (tokens + rows) * row_bytes, [&] {
    combine<BFloat16>(state.plan, cuda, spec.d_model, state.routing.gates, state.experts.output,
                      data.outputs);
  });
}

void bench_backward(CudaBackend& cuda, const BenchShape& shape, LayerData& data,
                    const PhaseTimer& time) {
  const MoeLayerSpec& spec = shape.spec;
  auto& state = data.state;
  auto& scratch = data.scratch;
  const ExpertShape& experts = data.weights.experts.shape;
  const auto row_bytes = 2.0 * spec.d_model;
  const auto tokens = static_cast<double>(shape.num_tokens);
  const auto rows = static_cast<double>(shape.num_rows());
  time("layer_backward", 2.0 * forward_flop(shape), 0, [&] {
    layer_backward<BFloat16>(spec, data.step, cuda, data.weights, data.inputs, state,
                             data.d_outputs, scratch, data.d_inputs, data.gradients);
  });
  time("combine_backward", 0, (tokens + 2.0 * rows) * row_bytes, [&] {
    combine_backward<BFloat16>(state.plan, cuda, spec.d_model, state.routing.gates,
                               state.experts.output, data.d_outputs, scratch.d_output_rows,
                               scratch.d_gates);
  });
  const double activation_bytes = 2.0 * rows * (2.0 * num_first_rows(experts) + spec.d_ff);
  time("activation_backward", 0, activation_bytes, [&] {
    activate_backward<BFloat16>(experts, cuda,
                                {state.plan.offsets.data() + spec.num_experts, state.plan.max_rows},
                                state.experts.pre, scratch.d_hidden, scratch.d_pre);
  });
  time("route_backward", 14.0 * tokens * spec.d_model * spec.num_experts, 3.0 * tokens * row_bytes,
       [&] {
         route_backward<BFloat16>(spec, data.step, cuda, data.inputs, data.weights, state.routing,
                                  scratch.d_gates, scratch.router, data.gradients.router,
                                  scratch.d_router_inputs);
       });
  time("unpermute", 0, (3.0 * tokens + rows) * row_bytes, [&] {
    unpermute<BFloat16>(state.plan, cuda, spec.d_model, scratch.d_rows, scratch.d_router_inputs,
                        data.d_inputs);
  });
}

}  // namespace

void bench_layer(CudaBackend& cuda, const BenchShape& shape, BenchReport& report) {
  LayerData data;
  data.step.training = false;
  prepare(cuda, shape, data);
  // Captured where the host need not know the offsets.
  const bool as_graph = cuda.has_wgmma();
  const PhaseTimer time{cuda,
                        shape,
                        report,
                        {.calls = shape.is_decode ? 4 : 1, .as_graph = as_graph, .limit_s = 0.25}};
  bench_forward(cuda, shape, data, time);
  if (!shape.is_decode) bench_backward(cuda, shape, data, time);
  cuda.synchronize();
}

}  // namespace switchyard::kernels
