// Router, plan and permutation of the CUDA backend by the CPU's functions, queued.

#include <algorithm>
#include <cstdlib>

#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/cuda/router.hpp"
#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {
namespace {

template <class T>
Buffer<T> copy_of(const DeviceBuffer<T>& from) {
  Buffer<T> result(from.size());
  std::copy_n(from.data(), from.size(), result.data());
  return result;
}

/// What is written must fit; what is behind stays as it was.
template <class T>
void put(const Buffer<T>& from, DeviceBuffer<T>& to) {
  if (from.size() > to.size()) std::abort();
  std::copy_n(from.data(), from.size(), to.data());
}

DispatchPlan plan_of(const DevicePlan& on_device) {
  DispatchPlan plan{.offsets = copy_of(on_device.offsets),
                    .dst_row = copy_of(on_device.dst_row),
                    .source_token = copy_of(on_device.source_token),
                    .source_choice = copy_of(on_device.source_choice),
                    .num_chosen = copy_of(on_device.num_chosen)};
  plan.num_rows = plan.offsets[plan.offsets.size() - 1];
  return plan;
}

/// The rows of a plan, of an array that must have room for max_rows.
template <class T>
std::span<T> rows_of_plan(const DevicePlan& on_device, const DispatchPlan& plan, int d_model,
                          std::span<T> rows) {
  if (std::ssize(rows) != on_device.max_rows * d_model) std::abort();
  return rows.first(static_cast<std::size_t>(plan.num_rows * d_model));
}

}  // namespace

template <class T>
void split_router(CudaBackend& /*cuda*/, const MoeLayerSpec& /*spec*/,
                  DeviceMoeWeights<T>& /*weights*/) {}

void resize_routing(const MoeLayerSpec& spec, const StepContext& /*step*/, std::int64_t num_tokens,
                    DeviceRouting& routing) {
  const auto tokens = static_cast<std::size_t>(num_tokens);
  const std::size_t logits = tokens * static_cast<std::size_t>(spec.num_experts);
  const std::size_t choices = tokens * static_cast<std::size_t>(spec.router.top_k);
  routing.logits.resize(logits);
  routing.probabilities.resize(logits);
  routing.log_sum_exp.resize(tokens);
  routing.experts.resize(choices);
  routing.gates.resize(choices);
  routing.losses.resize(2);
}

void resize_scratch(const MoeLayerSpec& /*spec*/, const StepContext& /*step*/,
                    std::int64_t /*num_tokens*/, RouterScratch& /*scratch*/) {}

void resize_plan(const MoeLayerSpec& spec, std::int64_t num_tokens, DevicePlan& plan) {
  plan.max_rows = max_rows(spec, num_tokens);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  plan.offsets.resize(num_experts + 1);
  plan.dst_row.resize(static_cast<std::size_t>(num_tokens * spec.router.top_k));
  plan.source_token.resize(static_cast<std::size_t>(plan.max_rows));
  plan.source_choice.resize(static_cast<std::size_t>(plan.max_rows));
  plan.num_chosen.resize(num_experts);
}

template <class T>
void route(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
           std::span<const T> inputs, const DeviceMoeWeights<T>& weights, DeviceRouting& routing) {
  resize_routing(spec, step, std::ssize(inputs) / spec.d_model, routing);
  queue_on(cuda.stream(), [=, &weights, &routing] {
    Routing of;
    route<T>(spec, step, CpuBackend{}, inputs, std::span<const float>{weights.router}, of);
    put(of.logits, routing.logits);
    put(of.probabilities, routing.probabilities);
    put(of.log_sum_exp, routing.log_sum_exp);
    put(of.experts, routing.experts);
    put(of.gates, routing.gates);
    routing.losses.data()[0] = of.aux_loss;
    routing.losses.data()[1] = of.z_loss;
  });
}

/// The CPU's route throws, once it is waited for.
void require_finite_logits(CudaBackend& cuda, const MoeLayerSpec& /*spec*/,
                           const DeviceRouting& /*routing*/) {
  cuda.synchronize();
}

template <class T>
void route_backward(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                    std::span<const T> inputs, const DeviceMoeWeights<T>& weights,
                    const DeviceRouting& routing, std::span<const float> d_gates,
                    RouterScratch& /*scratch*/, std::span<float> d_router,
                    std::span<float> d_inputs) {
  queue_on(cuda.stream(), [=, &weights, &routing] {
    const Routing of{.logits = copy_of(routing.logits),
                     .probabilities = copy_of(routing.probabilities),
                     .log_sum_exp = copy_of(routing.log_sum_exp),
                     .experts = copy_of(routing.experts),
                     .gates = copy_of(routing.gates)};
    route_backward<T>(spec, step, CpuBackend{}, inputs, std::span<const float>{weights.router}, of,
                      d_gates, d_router, d_inputs);
  });
}

void build_plan(const MoeLayerSpec& spec, CudaBackend& cuda, std::span<const std::int32_t> experts,
                DevicePlan& plan) {
  resize_plan(spec, std::ssize(experts) / spec.router.top_k, plan);
  queue_on(cuda.stream(), [=, &plan] {
    Buffer<std::int32_t> choices(experts.size());
    std::ranges::copy(experts, choices.begin());
    DispatchPlan of;
    build_plan(spec, choices, of);
    put(of.offsets, plan.offsets);
    put(of.dst_row, plan.dst_row);
    put(of.source_token, plan.source_token);
    put(of.source_choice, plan.source_choice);
    put(of.num_chosen, plan.num_chosen);
  });
}

template <class T>
void permute(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const T> inputs,
             std::span<T> rows) {
  queue_on(cuda.stream(), [=, &plan] {
    const auto of = plan_of(plan);
    permute<T>(of, CpuBackend{}, d_model, inputs, rows_of_plan(plan, of, d_model, rows));
    if (stand_in_gpu().permutes_wrongly) rows.front() = from_float<T>(2.0F);
  });
}

template <class T>
void combine(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const float> gates,
             std::span<const T> rows, std::span<T> outputs) {
  queue_on(cuda.stream(), [=, &plan] {
    const auto of = plan_of(plan);
    combine<T>(of, CpuBackend{}, d_model, gates, rows_of_plan(plan, of, d_model, rows), outputs);
  });
}

template <class T>
void combine_backward(const DevicePlan& plan, CudaBackend& cuda, int d_model,
                      std::span<const float> gates, std::span<const T> rows,
                      std::span<const T> d_outputs, std::span<T> d_rows, std::span<float> d_gates) {
  queue_on(cuda.stream(), [=, &plan] {
    const auto of = plan_of(plan);
    combine_backward<T>(of, CpuBackend{}, d_model, gates, rows_of_plan(plan, of, d_model, rows),
                        d_outputs, rows_of_plan(plan, of, d_model, d_rows), d_gates);
  });
}

template <class T>
void unpermute(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const T> d_rows,
               std::span<const float> addend, std::span<T> d_inputs) {
  queue_on(cuda.stream(), [=, &plan] {
    const auto of = plan_of(plan);
    unpermute<T>(of, CpuBackend{}, d_model, rows_of_plan(plan, of, d_model, d_rows), addend,
                 d_inputs);
  });
}

template void split_router(CudaBackend&, const MoeLayerSpec&, DeviceMoeWeights<float>&);
template void route(const MoeLayerSpec&, const StepContext&, CudaBackend&, std::span<const float>,
                    const DeviceMoeWeights<float>&, DeviceRouting&);
template void route_backward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                             std::span<const float>, const DeviceMoeWeights<float>&,
                             const DeviceRouting&, std::span<const float>, RouterScratch&,
                             std::span<float>, std::span<float>);
template void permute(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                      std::span<float>);
template void combine(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                      std::span<const float>, std::span<float>);
template void combine_backward(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                               std::span<const float>, std::span<const float>, std::span<float>,
                               std::span<float>);
template void unpermute(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                        std::span<const float>, std::span<float>);
template void split_router(CudaBackend&, const MoeLayerSpec&, DeviceMoeWeights<BFloat16>&);
template void route(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                    std::span<const BFloat16>, const DeviceMoeWeights<BFloat16>&, DeviceRouting&);
template void route_backward(const MoeLayerSpec&, const StepContext&, CudaBackend&,
                             std::span<const BFloat16>, const DeviceMoeWeights<BFloat16>&,
                             const DeviceRouting&, std::span<const float>, RouterScratch&,
                             std::span<float>, std::span<float>);
template void permute(const DevicePlan&, CudaBackend&, int, std::span<const BFloat16>,
                      std::span<BFloat16>);
template void combine(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                      std::span<const BFloat16>, std::span<BFloat16>);
template void combine_backward(const DevicePlan&, CudaBackend&, int, std::span<const float>,
                               std::span<const BFloat16>, std::span<const BFloat16>,
                               std::span<BFloat16>, std::span<float>);
template void unpermute(const DevicePlan&, CudaBackend&, int, std::span<const BFloat16>,
                        std::span<const float>, std::span<BFloat16>);

}  // namespace switchyard::kernels
