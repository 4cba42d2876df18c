#include "kernels/cpu/moe_layer.hpp"

#include "kernels/cpu/expert_ffn.hpp"
#include "kernels/cpu/layer_check.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/row_ids.hpp"

namespace switchyard::kernels {
namespace {

/// @param ids  what the result borrows
ExpertDropout dropout_of(const MoeLayerSpec& spec, const StepContext& step,
                         const DispatchPlan& plan, Buffer<std::int64_t>& ids) {
  if (!step.training || spec.expert_dropout == 0.0) return {};
  ids = row_ids(plan, step, spec.router.top_k);
  return {.rate = spec.expert_dropout,
          .stream = random_stream(step, RandomUse::kExpertDropout),
          .row_ids = ids,
          .all_hidden = spec.d_ff};
}

std::size_t numbers(std::int64_t rows, int columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

}  // namespace

template <class T>
void layer_forward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                   const MoeWeights<T>& weights, std::span<const T> inputs, std::span<T> outputs,
                   LayerState<T>& state) {
  validate(spec);
  require_storage<T>(spec.precision);
  require_size("outputs", outputs.size(), rows_of("inputs", inputs.size(), spec.d_model),
               spec.d_model);
  require_finite<T>("inputs", inputs, spec.d_model);
  route<T>(spec, step, cpu, inputs, weights.router, state.routing);
  build_plan(spec, state.routing.experts, state.plan);
  state.rows.resize(numbers(state.plan.num_rows, spec.d_model));
  permute<T>(state.plan, cpu, spec.d_model, inputs, state.rows);
  Buffer<std::int64_t> ids;
  expert_ffn_forward<T>(expert_shape(spec), dropout_of(spec, step, state.plan, ids), cpu,
                        {state.rows, state.plan.offsets}, weights.experts, state.experts);
  combine<T>(state.plan, cpu, spec.d_model, state.routing.gates, state.experts.output, outputs);
}

template <class T>
void layer_backward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                    const MoeWeights<T>& weights, std::span<const T> inputs,
                    const LayerState<T>& state, std::span<const T> d_outputs,
                    BackwardScratch<T>& scratch, std::span<T> d_inputs, MoeGradients& gradients) {
  validate(spec);
  require_storage<T>(spec.precision);
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), spec.d_model);
  require_size("state", state.routing.gates.size(), num_tokens, spec.router.top_k);
  require_size("d_outputs", d_outputs.size(), num_tokens, spec.d_model);
  require_size("d_inputs", d_inputs.size(), num_tokens, spec.d_model);
  require_finite<T>("d_outputs", d_outputs, spec.d_model);
  const DispatchPlan& plan = state.plan;
  scratch.d_output_rows.resize(numbers(plan.num_rows, spec.d_model));
  scratch.d_rows.resize(numbers(plan.num_rows, spec.d_model));
  scratch.d_gates.resize(numbers(num_tokens, spec.router.top_k));
  scratch.d_router_inputs.resize(numbers(num_tokens, spec.d_model));
  gradients.router.resize(weights.router.size());
  gradients.w1.resize(weights.experts.w1.size());
  gradients.w2.resize(weights.experts.w2.size());

  combine_backward<T>(plan, cpu, spec.d_model, state.routing.gates, state.experts.output, d_outputs,
                      scratch.d_output_rows, scratch.d_gates);
  Buffer<std::int64_t> ids;
  expert_ffn_backward<T>(expert_shape(spec), dropout_of(spec, step, plan, ids), cpu,
                         {state.rows, plan.offsets}, weights.experts, state.experts,
                         scratch.d_output_rows, scratch.d_hidden, scratch.d_pre,
                         {scratch.d_rows, gradients.w1, gradients.w2});
  route_backward<T>(spec, step, cpu, inputs, weights.router, state.routing, scratch.d_gates,
                    gradients.router, scratch.d_router_inputs);
  unpermute<T>(plan, cpu, spec.d_model, scratch.d_rows, scratch.d_router_inputs, d_inputs);
}

template void layer_forward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                            const MoeWeights<float>&, std::span<const float>, std::span<float>,
                            LayerState<float>&);
template void layer_forward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                            const MoeWeights<BFloat16>&, std::span<const BFloat16>,
                            std::span<BFloat16>, LayerState<BFloat16>&);
template void layer_backward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                             const MoeWeights<float>&, std::span<const float>,
                             const LayerState<float>&, std::span<const float>,
                             BackwardScratch<float>&, std::span<float>, MoeGradients&);
template void layer_backward(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                             const MoeWeights<BFloat16>&, std::span<const BFloat16>,
                             const LayerState<BFloat16>&, std::span<const BFloat16>,
                             BackwardScratch<BFloat16>&, std::span<BFloat16>, MoeGradients&);

}  // namespace switchyard::kernels
