#include "kernels/cuda/moe_layer.hpp"

#include <type_traits>

#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/expert_ffn.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

template <class T>
void require_storage(const MoeLayerSpec& spec) {
  if (stores_bfloat16(spec.precision) == std::is_same_v<T, BFloat16>) return;
  throw KernelError{Fault::kSpec, stores_bfloat16(spec.precision)
                                      ? "layer: this precision needs bfloat16 tokens, got float"
                                      : "layer: float32 needs float tokens, got bfloat16"};
}

DeviceDropout dropout_of(const MoeLayerSpec& spec, const StepContext& step,
                         const DevicePlan& plan) {
  if (!step.training || spec.expert_dropout == 0.0) return {};
  return {.rate = spec.expert_dropout,
          .stream = random_stream(step, RandomUse::kExpertDropout),
          .source_token = plan.source_token.data(),
          .source_choice = plan.source_choice.data(),
          .first_token = step.first_token,
          .top_k = spec.router.top_k,
          .all_hidden = spec.d_ff};
}

std::size_t numbers(std::int64_t rows, int columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

template <class T>
DeviceExpertRows<T> expert_rows(const DeviceLayerState<T>& state) {
  return {state.rows, state.plan.offsets.data(), state.plan.max_rows};
}

}  // namespace

template <class T>
void resize_state(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                  DeviceLayerState<T>& state) {
  resize_routing(spec, step, num_tokens, state.routing);
  resize_plan(spec, num_tokens, state.plan);
  state.rows.resize(numbers(state.plan.max_rows, spec.d_model));
  resize_activations(device_expert_shape(spec), state.plan.max_rows, state.experts);
}

template <class T>
void layer_forward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                   const DeviceMoeWeights<T>& weights, std::span<const T> inputs,
                   std::span<T> outputs, DeviceLayerState<T>& state) {
  validate(spec);
  require_storage<T>(spec);
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), spec.d_model);
  require_size("outputs", outputs.size(), num_tokens, spec.d_model);
  resize_state(spec, step, num_tokens, state);
  route(spec, step, cuda, inputs, weights, state.routing);
  build_plan(spec, cuda, state.routing.experts, state.plan);
  permute<T>(state.plan, cuda, spec.d_model, inputs, state.rows);
  expert_ffn_forward(dropout_of(spec, step, state.plan), cuda, expert_rows(state),
                     view_of(weights.experts), state.experts);
  combine<T>(state.plan, cuda, spec.d_model, state.routing.gates, state.experts.output, outputs);
}

template <class T>
void resize_scratch(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    const DeviceMoeWeights<T>& weights, DeviceBackwardScratch<T>& scratch,
                    DeviceMoeGradients& gradients) {
  const std::int64_t rows = max_rows(spec, num_tokens);
  scratch.d_output_rows.resize(numbers(rows, spec.d_model));
  scratch.d_rows.resize(numbers(rows, spec.d_model));
  scratch.d_hidden.resize(numbers(rows, spec.d_ff));
  scratch.d_pre.resize(numbers(rows, num_first_rows(weights.experts.shape)));
  scratch.d_gates.resize(numbers(num_tokens, spec.router.top_k));
  scratch.d_router_inputs.resize(numbers(num_tokens, spec.d_model));
  resize_scratch(spec, step, num_tokens, scratch.router);
  gradients.router.resize(weights.router.size());
  gradients.w1.resize(weights.experts.w1.size());
  gradients.w2.resize(weights.experts.w2.size());
}

template <class T>
void layer_backward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                    const DeviceMoeWeights<T>& weights, std::span<const T> inputs,
                    const DeviceLayerState<T>& state, std::span<const T> d_outputs,
                    DeviceBackwardScratch<T>& scratch, std::span<T> d_inputs,
                    DeviceMoeGradients& gradients) {
  validate(spec);
  require_storage<T>(spec);
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), spec.d_model);
  require_size("state", state.routing.gates.size(), num_tokens, spec.router.top_k);
  require_size("d_outputs", d_outputs.size(), num_tokens, spec.d_model);
  require_size("d_inputs", d_inputs.size(), num_tokens, spec.d_model);
  resize_scratch(spec, step, num_tokens, weights, scratch, gradients);
  combine_backward<T>(state.plan, cuda, spec.d_model, state.routing.gates, state.experts.output,
                      d_outputs, scratch.d_output_rows, scratch.d_gates);
  expert_ffn_backward<T>(
      dropout_of(spec, step, state.plan), cuda, expert_rows(state), view_of(weights.experts),
      state.experts, scratch.d_output_rows,
      {scratch.d_hidden, scratch.d_pre, scratch.d_rows, gradients.w1, gradients.w2});
  route_backward(spec, step, cuda, inputs, weights, state.routing, scratch.d_gates, scratch.router,
                 gradients.router, scratch.d_router_inputs);
  unpermute<T>(state.plan, cuda, spec.d_model, scratch.d_rows, scratch.d_router_inputs, d_inputs);
}

template void resize_state(const MoeLayerSpec&, const StepContext&, std::int64_t,
                           DeviceLayerState<float>&);
template void resize_state(const MoeLayerSpec&, const StepContext&, std::int64_t,
                           DeviceLayerState<BFloat16>&);
template void layer_forward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                            const DeviceMoeWeights<float>&, std::span<const float>,
                            std::span<float>, DeviceLayerState<float>&);
template void layer_forward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                            const DeviceMoeWeights<BFloat16>&, std::span<const BFloat16>,
                            std::span<BFloat16>, DeviceLayerState<BFloat16>&);
template void resize_scratch(const MoeLayerSpec&, const StepContext&, std::int64_t,
                             const DeviceMoeWeights<float>&, DeviceBackwardScratch<float>&,
                             DeviceMoeGradients&);
template void resize_scratch(const MoeLayerSpec&, const StepContext&, std::int64_t,
                             const DeviceMoeWeights<BFloat16>&, DeviceBackwardScratch<BFloat16>&,
                             DeviceMoeGradients&);
template void layer_backward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                             const DeviceMoeWeights<float>&, std::span<const float>,
                             const DeviceLayerState<float>&, std::span<const float>,
                             DeviceBackwardScratch<float>&, std::span<float>, DeviceMoeGradients&);
template void layer_backward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                             const DeviceMoeWeights<BFloat16>&, std::span<const BFloat16>,
                             const DeviceLayerState<BFloat16>&, std::span<const BFloat16>,
                             DeviceBackwardScratch<BFloat16>&, std::span<BFloat16>,
                             DeviceMoeGradients&);

}  // namespace switchyard::kernels
