#include "kernels/bench/layer_phases.hpp"

#include "kernels/cpu/activation.hpp"
#include "kernels/cpu/grouped_gemm.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

template <class T>
std::vector<Phase> forward_phases(const BenchSpec& spec, const CpuBackend& cpu,
                                  LayerArrays<T>& arrays) {
  const MoeLayerSpec& layer = spec.layer;
  const int d = layer.d_model;
  auto& state = arrays.state;
  const auto rows = static_cast<double>(state.plan.num_rows);
  const std::int64_t n1 = num_first_rows(expert_shape(layer));
  return {
      {"route", 2.0 * static_cast<double>(spec.num_tokens) * layer.num_experts * d,
       [=, &arrays, &state] {
         route<T>(layer, {}, cpu, arrays.inputs, arrays.weights.router, state.routing);
       }},
      {"plan", 0.0, [=, &state] { build_plan(layer, state.routing.experts, state.plan); }},
      {"permute", 0.0,
       [=, &arrays, &state] { permute<T>(state.plan, cpu, d, arrays.inputs, state.rows); }},
      {"gemm1", 2.0 * rows * static_cast<double>(n1) * d,
       [=, &arrays, &state] {
         grouped_forward<T>({state.plan.offsets, n1, d}, cpu, state.rows.data(),
                            arrays.weights.experts.w1.data(), state.experts.pre.data());
       }},
      {"activation", 0.0,
       [=, &state] {
         activate<T>(expert_shape(layer), cpu, state.experts.pre, state.experts.hidden);
       }},
      {"gemm2", 2.0 * rows * layer.d_ff * d,
       [=, &arrays, &state] {
         grouped_forward<T>({state.plan.offsets, d, layer.d_ff}, cpu, state.experts.hidden.data(),
                            arrays.weights.experts.w2.data(), state.experts.output.data());
       }},
      {"combine", 0.0, [=, &arrays, &state] {
         combine<T>(state.plan, cpu, d, state.routing.gates, state.experts.output, arrays.outputs);
       }}};
}

template <class T>
std::vector<Phase> backward_phases(const BenchSpec& spec, const CpuBackend& cpu,
                                   LayerArrays<T>& arrays) {
  const MoeLayerSpec& layer = spec.layer;
  const int d = layer.d_model;
  auto& state = arrays.state;
  auto& scratch = arrays.scratch;
  const std::int64_t n1 = num_first_rows(expert_shape(layer));
  const double first_flop =
      2.0 * static_cast<double>(state.plan.num_rows) * static_cast<double>(n1) * d;
  const double second_flop = 2.0 * static_cast<double>(state.plan.num_rows) * layer.d_ff * d;
  const GroupedShape first{state.plan.offsets, n1, d};
  const GroupedShape second{state.plan.offsets, d, layer.d_ff};
  return {{"combine_backward", 0.0,
           [=, &arrays, &state, &scratch] {
             combine_backward<T>(state.plan, cpu, d, state.routing.gates, state.experts.output,
                                 arrays.d_outputs, scratch.d_output_rows, scratch.d_gates);
           }},
          {"gemm2_data_gradient", second_flop,
           [=, &arrays, &scratch] {
             grouped_data_gradient<T>(second, cpu, scratch.d_output_rows.data(),
                                      arrays.weights.experts.w2.data(), scratch.d_hidden.data());
           }},
          {"gemm2_weight_gradient", second_flop,
           [=, &arrays, &state, &scratch] {
             grouped_weight_gradient<T>(second, cpu, scratch.d_output_rows.data(),
                                        state.experts.hidden.data(), arrays.gradients.w2.data());
           }},
          {"activation_backward", 0.0,
           [=, &state, &scratch] {
             activate_backward<T>(expert_shape(layer), cpu, state.experts.pre, scratch.d_hidden,
                                  scratch.d_pre);
           }},
          {"gemm1_data_gradient", first_flop,
           [=, &arrays, &scratch] {
             grouped_data_gradient<T>(first, cpu, scratch.d_pre.data(),
                                      arrays.weights.experts.w1.data(), scratch.d_rows.data());
           }},
          {"gemm1_weight_gradient", first_flop,
           [=, &arrays, &state, &scratch] {
             grouped_weight_gradient<T>(first, cpu, scratch.d_pre.data(), state.rows.data(),
                                        arrays.gradients.w1.data());
           }},
          {"route_backward", 0.0,
           [=, &arrays, &state, &scratch] {
             route_backward<T>(layer, {}, cpu, arrays.inputs, arrays.weights.router, state.routing,
                               scratch.d_gates, arrays.gradients.router, scratch.d_router_inputs);
           }},
          {"unpermute", 0.0, [=, &arrays, &state, &scratch] {
             unpermute<T>(state.plan, cpu, d, scratch.d_rows, scratch.d_router_inputs,
                          arrays.d_inputs);
           }}};
}

}  // namespace

template <class T>
Buffer<T> random_numbers(std::size_t size, std::uint64_t stream) {
  Buffer<T> result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = from_float<T>(2.0F * uniform_at(stream, i) - 1.0F);
  return result;
}

template <class T>
void fill(const BenchSpec& spec, const CpuBackend& cpu, LayerArrays<T>& arrays) {
  const auto d = static_cast<std::size_t>(spec.layer.d_model);
  const auto num_experts = static_cast<std::size_t>(spec.layer.num_experts);
  const auto n1 = static_cast<std::size_t>(num_first_rows(expert_shape(spec.layer)));
  const std::size_t size = static_cast<std::size_t>(spec.num_tokens) * d;
  arrays.weights.router = random_numbers<float>(num_experts * d, 1);
  arrays.weights.experts.w1 = random_numbers<T>(num_experts * n1 * d, 2);
  arrays.weights.experts.w2 =
      random_numbers<T>(num_experts * d * static_cast<std::size_t>(spec.layer.d_ff), 3);
  arrays.inputs = random_numbers<T>(size, 4);
  arrays.d_outputs = random_numbers<T>(size, 5);
  arrays.outputs.resize(size);
  arrays.d_inputs.resize(size);
  layer_forward<T>(spec.layer, {}, cpu, arrays.weights, arrays.inputs, arrays.outputs,
                   arrays.state);
  layer_backward<T>(spec.layer, {}, cpu, arrays.weights, arrays.inputs, arrays.state,
                    arrays.d_outputs, arrays.scratch, arrays.d_inputs, arrays.gradients);
}

template <class T>
std::vector<Phase> layer_phases(const BenchSpec& spec, const CpuBackend& cpu,
                                LayerArrays<T>& arrays) {
  auto phases = forward_phases(spec, cpu, arrays);
  for (Phase& phase : backward_phases(spec, cpu, arrays)) phases.push_back(std::move(phase));
  return phases;
}

template Buffer<float> random_numbers(std::size_t, std::uint64_t);
template Buffer<BFloat16> random_numbers(std::size_t, std::uint64_t);
template void fill(const BenchSpec&, const CpuBackend&, LayerArrays<float>&);
template void fill(const BenchSpec&, const CpuBackend&, LayerArrays<BFloat16>&);
template std::vector<Phase> layer_phases(const BenchSpec&, const CpuBackend&, LayerArrays<float>&);
template std::vector<Phase> layer_phases(const BenchSpec&, const CpuBackend&,
                                         LayerArrays<BFloat16>&);

}  // namespace switchyard::kernels
