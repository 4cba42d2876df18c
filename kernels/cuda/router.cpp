#include "kernels/cuda/router.hpp"

#include <string>

#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/gate.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/cuda/router_input.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

std::size_t numbers(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

/// Columns of routing.products for each expert.
int num_parts(const MoeLayerSpec& spec, const StepContext& step) {
  return multiplies_bfloat16(spec, step) && spec.precision == Precision::kSelective ? 3 : 1;
}

/// What the router multiplies: jittered where there is jitter.
const void* router_input(const MoeLayerSpec& spec, const StepContext& step, const void* inputs,
                         const DeviceRouting& routing) {
  if (!has_jitter_on_device(spec, step)) return inputs;
  if (multiplies_bfloat16(spec, step)) return routing.jittered_bfloat16.data();
  return routing.jittered.data();
}

template <class T>
void make_jittered(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                   std::span<const T> inputs, DeviceRouting& routing) {
  if (!has_jitter_on_device(spec, step)) return;
  const JitteredNumbers of{static_cast<std::int64_t>(inputs.size()), spec, step};
  if constexpr (std::is_same_v<T, BFloat16>)
    if (multiplies_bfloat16(spec, step))
      return launch_jitter(cuda, of, inputs.data(), routing.jittered_bfloat16.data());
  launch_jitter(cuda, of, inputs.data(), routing.jittered.data());
}

NumberType operand_type(const MoeLayerSpec& spec, const StepContext& step) {
  return multiplies_bfloat16(spec, step) ? NumberType::kBFloat16 : NumberType::kFloat;
}

}  // namespace

template <class T>
void split_router(CudaBackend& cuda, const MoeLayerSpec& spec, DeviceMoeWeights<T>& weights) {
  if (!stores_bfloat16(spec.precision)) return;
  const auto count = numbers(spec.num_experts, spec.d_model);
  weights.router_parts.resize(3 * count);
  weights.router_backward.resize(4 * count);
  launch_split(cuda, static_cast<std::int64_t>(count), spec.precision == Precision::kSelective,
               weights.router.data(), weights.router_parts.data(), weights.router_backward.data());
}

void resize_routing(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    DeviceRouting& routing) {
  const auto logits = numbers(num_tokens, spec.num_experts);
  routing.products.resize(logits * static_cast<std::size_t>(num_parts(spec, step)));
  routing.logits.resize(logits);
  routing.probabilities.resize(logits);
  routing.log_sum_exp.resize(numbers(num_tokens, 1));
  routing.experts.resize(numbers(num_tokens, spec.router.top_k));
  routing.gates.resize(numbers(num_tokens, spec.router.top_k));
  routing.losses.resize(2);
  routing.not_finite.resize(1);
  routing.blocks_done.resize(1);
  const auto [groups, chunks, aux_blocks] = gate_sizes(spec, num_tokens);
  routing.first_choices.resize(numbers(groups, spec.num_experts));
  routing.aux_slopes.resize(numbers(groups, spec.num_experts));
  routing.probability_sums.resize(numbers(chunks, spec.num_experts));
  routing.z_partials.resize(numbers(chunks, 1));
  routing.aux_partials.resize(numbers(aux_blocks, 1));
  if (!has_jitter_on_device(spec, step)) return;
  const auto inputs = numbers(num_tokens, spec.d_model);
  if (multiplies_bfloat16(spec, step))
    routing.jittered_bfloat16.resize(inputs);
  else
    routing.jittered.resize(inputs);
}

template <class T>
void route(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
           std::span<const T> inputs, const DeviceMoeWeights<T>& weights, DeviceRouting& routing) {
  if (spec.router.top_k > kMaxTopK)
    throw KernelError{Fault::kSpec, "layer: top_k is " + std::to_string(spec.router.top_k) +
                                        ", expected at most " + std::to_string(kMaxTopK) +
                                        " with CUDA"};
  const std::int64_t d = spec.d_model;
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), d);
  require_size("router", weights.router.size(), spec.num_experts, d);
  resize_routing(spec, step, num_tokens, routing);
  make_jittered(spec, step, cuda, inputs, routing);
  const std::int64_t columns = std::int64_t{num_parts(spec, step)} * spec.num_experts;
  const void* w = multiplies_bfloat16(spec, step)
                      ? static_cast<const void*>(weights.router_parts.data())
                      : weights.router.data();
  matmul(cuda, {.m = num_tokens,
                .n = columns,
                .k = d,
                .a = {router_input(spec, step, inputs.data(), routing), d},
                .b = {w, d, true},
                .operand_type = operand_type(spec, step),
                .c = routing.products.data(),
                .c_stride = columns});
  launch_gate(cuda, spec, step, num_tokens, num_parts(spec, step), routing);
}

void require_finite_logits(CudaBackend& cuda, const MoeLayerSpec& spec,
                           const DeviceRouting& routing) {
  Buffer<std::uint64_t> first;
  copy_to_host<std::uint64_t>(routing.not_finite, first, cuda.stream());
  if (first[0] == kAllFinite) return;
  const auto experts = static_cast<std::uint64_t>(spec.num_experts);
  throw KernelError{Fault::kNotFinite, "router: the logit of token " +
                                           std::to_string(first[0] / experts) + " for expert " +
                                           std::to_string(first[0] % experts) + " is not finite"};
}

void resize_scratch(const MoeLayerSpec& spec, const StepContext& step, std::int64_t num_tokens,
                    RouterScratch& scratch) {
  const auto logits = numbers(num_tokens, spec.num_experts);
  if (multiplies_bfloat16(spec, step)) {
    scratch.d_logits_parts.resize(4 * logits);
    scratch.d_router_parts.resize(3 * numbers(spec.num_experts, spec.d_model));
  } else {
    scratch.d_logits.resize(logits);
  }
}

template <class T>
void route_backward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                    std::span<const T> inputs, const DeviceMoeWeights<T>& weights,
                    const DeviceRouting& routing, std::span<const float> d_gates,
                    RouterScratch& scratch, std::span<float> d_router, std::span<float> d_inputs) {
  const std::int64_t d = spec.d_model;
  const std::int64_t num_experts = spec.num_experts;
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), d);
  require_size("logits", routing.logits.size(), num_tokens, num_experts);
  require_size("d_gates", d_gates.size(), num_tokens, spec.router.top_k);
  require_size("d_router", d_router.size(), num_experts, d);
  require_size("d_inputs", d_inputs.size(), num_tokens, d);
  resize_scratch(spec, step, num_tokens, scratch);
  const bool in_parts = multiplies_bfloat16(spec, step);
  launch_gate_backward(cuda, spec, step, num_tokens, routing, d_gates.data(),
                       in_parts ? LogitsGradient{.parts = scratch.d_logits_parts.data()}
                                : LogitsGradient{.floats = scratch.d_logits.data()});
  const void* d_logits =
      in_parts ? static_cast<const void*>(scratch.d_logits_parts.data()) : scratch.d_logits.data();
  const std::int64_t stride = (in_parts ? 4 : 1) * num_experts;
  matmul(cuda, {.m = (in_parts ? 3 : 1) * num_experts,
                .n = d,
                .k = num_tokens,
                .a = {d_logits, stride, true},
                .b = {router_input(spec, step, inputs.data(), routing), d},
                .operand_type = operand_type(spec, step),
                .c = in_parts ? scratch.d_router_parts.data() : d_router.data(),
                .c_stride = d});
  if (in_parts)
    launch_add_parts(cuda, num_experts * d, scratch.d_router_parts.data(), d_router.data());
  const void* w =
      in_parts ? static_cast<const void*>(weights.router_backward.data()) : weights.router.data();
  matmul(cuda, {.m = num_tokens,
                .n = d,
                .k = stride,
                .a = {d_logits, stride},
                .b = {w, d},
                .operand_type = operand_type(spec, step),
                .c = d_inputs.data(),
                .c_stride = d});
  if (has_jitter_on_device(spec, step))
    launch_jitter<float, float>(cuda, {static_cast<std::int64_t>(d_inputs.size()), spec, step},
                                d_inputs.data(), d_inputs.data());
}

template void split_router(CudaBackend&, const MoeLayerSpec&, DeviceMoeWeights<float>&);
template void split_router(CudaBackend&, const MoeLayerSpec&, DeviceMoeWeights<BFloat16>&);
template void route(const MoeLayerSpec&, const StepContext&, CudaBackend&, std::span<const float>,
                    const DeviceMoeWeights<float>&, DeviceRouting&);
template void route(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                    std::span<const BFloat16>, const DeviceMoeWeights<BFloat16>&, DeviceRouting&);
template void route_backward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                             std::span<const float>, const DeviceMoeWeights<float>&,
                             const DeviceRouting&, std::span<const float>, RouterScratch&,
                             std::span<float>, std::span<float>);
template void route_backward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                             std::span<const BFloat16>, const DeviceMoeWeights<BFloat16>&,
                             const DeviceRouting&, std::span<const float>, RouterScratch&,
                             std::span<float>, std::span<float>);

}  // namespace switchyard::kernels
