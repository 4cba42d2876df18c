// Times the CPU backend: the phases of one MoE layer and, interleaved with them, one square product
// by BLAS, the yardstick. Writes JSON.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/bench/square_gemm.hpp"
#include "kernels/bench/timed.hpp"
#include "kernels/cpu/activation.hpp"
#include "kernels/cpu/grouped_gemm.hpp"
#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/cpu/moe_layer.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

struct BenchSpec {
  MoeLayerSpec layer;
  std::int64_t num_tokens = 2048;
  int num_threads = 1;
  int repeats = 9;
};

constexpr std::int64_t kSquareSize = 2048;

/// A phase: its name, its floating-point operations (0: not counted) and what it does.
struct Phase {
  std::string name;
  double flop = 0.0;
  std::function<void()> run;
};

template <class T>
Buffer<T> random_numbers(std::int64_t size, std::uint64_t stream) {
  Buffer<T> result(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = from_float<T>(2.0F * uniform_at(stream, i) - 1.0F);
  return result;
}

/// Everything that the phases read and write.
template <class T>
struct Arrays {
  MoeWeights<T> weights;
  Buffer<T> inputs, outputs, d_outputs, d_inputs;
  LayerState<T> state;
  BackwardScratch<T> scratch;
  MoeGradients gradients;
  Buffer<float> square_a, square_b, square_c;
};

template <class T>
void fill(const BenchSpec& spec, Arrays<T>& arrays) {
  const std::int64_t size = spec.num_tokens * spec.layer.d_model;
  initialise_experts(expert_shape(spec.layer), {}, 1, 0, arrays.weights.experts);
  initialise_router(spec.layer.num_experts, spec.layer.d_model, 1, 0, arrays.weights.router);
  arrays.inputs = random_numbers<T>(size, 1);
  arrays.d_outputs = random_numbers<T>(size, 2);
  arrays.outputs.resize(arrays.inputs.size());
  arrays.d_inputs.resize(arrays.inputs.size());
  arrays.square_a = random_numbers<float>(kSquareSize * kSquareSize, 3);
  arrays.square_b = random_numbers<float>(kSquareSize * kSquareSize, 4);
  arrays.square_c.resize(arrays.square_a.size());
  // The phases below then have all sizes, and their inputs.
  const CpuBackend cpu{spec.num_threads};
  layer_forward<T>(spec.layer, {}, cpu, arrays.weights, arrays.inputs, arrays.outputs,
                   arrays.state);
  layer_backward<T>(spec.layer, {}, cpu, arrays.weights, arrays.inputs, arrays.state,
                    arrays.d_outputs, arrays.scratch, arrays.d_inputs, arrays.gradients);
}

template <class T>
std::vector<Phase> forward_phases(const BenchSpec& spec, Arrays<T>& arrays) {
  const CpuBackend cpu{spec.num_threads};
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
std::vector<Phase> backward_phases(const BenchSpec& spec, Arrays<T>& arrays) {
  const CpuBackend cpu{spec.num_threads};
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
