#include <utility>

#include "kernels/cpu/expert_ffn.hpp"
#include "kernels/cpu/layer_check.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/ranks/chunk_experts.hpp"
#include "kernels/ranks/rank_layer.hpp"

namespace switchyard::kernels {
namespace {

std::size_t numbers(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

template <class T>
void resize_all(const RankLayer& layer, const MoeWeights<T>& weights,
                const RankLayerState<T>& state, RankBackwardScratch<T>& scratch,
                MoeGradients& gradients) {
  const MoeLayerSpec& spec = layer.spec;
  const auto num_tokens = static_cast<std::int64_t>(state.routing.log_sum_exp.size());
  scratch.d_output_rows.resize(numbers(state.plan.num_rows, spec.d_model));
  scratch.d_rows.resize(scratch.d_output_rows.size());
  scratch.d_gates.resize(numbers(num_tokens, spec.router.top_k));
  scratch.d_router_inputs.resize(numbers(num_tokens, spec.d_model));
  scratch.sorted.resize(state.chunks.size());
  gradients.router.resize(weights.router.size());
  gradients.w1.resize(weights.experts.w1.size());
  gradients.w2.resize(weights.experts.w2.size());
}

/// What needs no other rank: checks, memory, the backward pass of combine.
template <class T>
void combine_backward_here(const RankLayer& layer, const MoeWeights<T>& weights,
                           std::span<const T> inputs, const RankLayerState<T>& state,
                           std::span<const T> d_outputs, RankBackwardScratch<T>& scratch,
                           std::span<T> d_inputs, MoeGradients& gradients, PhaseTimes& times) {
  const MoeLayerSpec& spec = layer.spec;
  const std::int64_t num_tokens = rows_of("inputs", inputs.size(), spec.d_model);
  require_size("state", state.routing.gates.size(), num_tokens, spec.router.top_k);
  require_size("d_outputs", d_outputs.size(), num_tokens, spec.d_model);
  require_size("d_inputs", d_inputs.size(), num_tokens, spec.d_model);
  require_weights(layer, view_of(weights.experts));
  add_time(times[Phase::kCombineBackward], [&] {
    require_finite<T>("d_outputs", d_outputs, spec.d_model);
    resize_all(layer, weights, state, scratch, gradients);
    combine_backward<T>(state.plan, layer.cpu, spec.d_model, state.routing.gates, state.returned,
                        d_outputs, scratch.d_output_rows, scratch.d_gates);
  });
}

}  // namespace

template <class T>
void rank_layer_backward(const RankLayer& layer, const StepContext& step,
                         const MoeWeights<T>& weights, std::span<const T> inputs,
                         RankLayerState<T>& state, std::span<const T> d_outputs,
                         RankBackwardScratch<T>& scratch, std::span<T> d_inputs,
                         MoeGradients& gradients, PhaseTimes& times) {
  const MoeLayerSpec& spec = layer.spec;
  const RankGroups& groups = layer.groups;
  LocalFault fault;
  std::vector<Buffer<T>*> sorted;
  ExpertTrip<T> trip{.groups = groups,
                     .cpu = layer.cpu,
                     .chunks = state.chunks,
                     .d_model = spec.d_model,
                     .phases = kBackwardPhases};
  fault.guard([&] {
    combine_backward_here(layer, weights, inputs, state, d_outputs, scratch, d_inputs, gradients,
                          times);
    for (Buffer<T>& of_chunk : scratch.sorted) sorted.push_back(&of_chunk);
    trip.rows = scratch.d_output_rows;
    trip.returned = scratch.d_rows;
    trip.sorted = sorted;
    prepare(trip, state.scratch);
  });
  add_time(times[Phase::kCountsBackward], [&] { agree(*groups.all, fault); });
  const auto work = [&](std::size_t c, std::span<const T> d_output) -> std::span<const T> {
    const ExpertChunk& chunk = state.chunks[c];
    const ChunkState<T>& saved = state.states[c];
    scratch.d_expert_rows.resize(d_output.size());
    expert_ffn_backward<T>(chunk_shape(layer, chunk), chunk_dropout(layer, step, saved.row_ids),
                           layer.cpu, {saved.rows, chunk.offsets},
                           chunk_weights(layer, chunk, view_of(weights.experts)), saved.experts,
                           d_output, scratch.d_hidden, scratch.d_pre,
                           {.d_rows = scratch.d_expert_rows,
                            .d_w1 = of_chunk<float>(chunk, first_weights(layer), gradients.w1),
                            .d_w2 = of_chunk<float>(chunk, second_weights(layer), gradients.w2)});
    return scratch.d_expert_rows;
  };
  run_trip<T>(trip, work, state.scratch, fault, times);
  fault.guard([&] {
    add_time(times[Phase::kRouterBackward], [&] {
      route_backward<T>(spec, step, layer.cpu, inputs, weights.router, state.routing,
                        scratch.d_gates, gradients.router, scratch.d_router_inputs);
    });
  });
  add_time(times[Phase::kCountsBackward], [&] { agree(*groups.all, fault); });
  add_time(times[Phase::kPermuteBackward], [&] {
    unpermute<T>(state.plan, layer.cpu, spec.d_model, scratch.d_rows, scratch.d_router_inputs,
                 d_inputs);
  });
}

void all_reduce_gradients(const RankGroups& groups, MoeGradients& gradients,
                          ReduceScratch<float>& scratch, PhaseTimes& times) {
  add_time(times[Phase::kGradientAllReduce], [&] {
    LocalFault fault;
    fault.guard([&] {
      for (const auto& [group, size] : {std::pair{groups.data.get(), gradients.router.size()},
                                        std::pair{groups.replicas.get(), gradients.w1.size()},
                                        std::pair{groups.replicas.get(), gradients.w2.size()}})
        prepare_all_reduce(*group, size, scratch);
    });
    agree(*groups.all, fault);
    std::int64_t& bytes = times.gradient_all_reduce_bytes;
    bytes += all_reduce_sum<float>(*groups.data, gradients.router, scratch);
    bytes += all_reduce_sum<float>(*groups.replicas, gradients.w1, scratch);
    bytes += all_reduce_sum<float>(*groups.replicas, gradients.w2, scratch);
  });
}

template void rank_layer_backward(const RankLayer&, const StepContext&, const MoeWeights<float>&,
                                  std::span<const float>, RankLayerState<float>&,
                                  std::span<const float>, RankBackwardScratch<float>&,
                                  std::span<float>, MoeGradients&, PhaseTimes&);
template void rank_layer_backward(const RankLayer&, const StepContext&, const MoeWeights<BFloat16>&,
                                  std::span<const BFloat16>, RankLayerState<BFloat16>&,
                                  std::span<const BFloat16>, RankBackwardScratch<BFloat16>&,
                                  std::span<BFloat16>, MoeGradients&, PhaseTimes&);

}  // namespace switchyard::kernels
