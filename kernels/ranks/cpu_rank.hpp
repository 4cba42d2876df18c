#pragma once

#include <utility>
#include <vector>

#include "kernels/cpu/expert_ffn.hpp"
#include "kernels/cpu/layer_check.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/layer/row_ids.hpp"
#include "kernels/ranks/chunk_job.hpp"

// What the layer on ranks needs of a backend, here of the CPU, beside permute, combine, their
// backward passes, prepare_all_reduce and all_reduce_sum. Every backend has these functions.
namespace switchyard::kernels {

/// Returns when what was asked of the backend is done.
inline void wait_for(const CpuBackend& /*cpu*/) {}

/// @throws KernelError (kNotFinite), here or from route_tokens
template <class T>
void require_finite_numbers(const CpuBackend& /*cpu*/, const char* argument,
                            std::span<const T> numbers, int columns) {
  require_finite<T>(argument, numbers, columns);
}

template <class T>
void route_tokens(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                  std::span<const T> inputs, const MoeWeights<T>& weights, Routing& routing) {
  route<T>(spec, step, cpu, inputs, weights.router, routing);
}

inline void plan_rows(const MoeLayerSpec& spec, const CpuBackend& /*cpu*/, const Routing& routing,
                      DispatchPlan& plan) {
  build_plan(spec, routing.experts, plan);
}

/// Rows that arrays of the plan's rows have.
[[nodiscard]] inline std::int64_t room_for_rows(const DispatchPlan& plan) { return plan.num_rows; }

/// Rows of this rank by expert.
[[nodiscard]] inline std::vector<std::int64_t> rows_of_experts(const CpuBackend& /*cpu*/,
                                                               const DispatchPlan& plan) {
  std::vector<std::int64_t> counts;
  for (std::size_t e = 0; e + 1 < plan.offsets.size(); ++e)
    counts.push_back(plan.offsets[e + 1] - plan.offsets[e]);
  return counts;
}

[[nodiscard]] inline Buffer<std::int64_t> ids_of_rows(const CpuBackend& /*cpu*/,
                                                      const DispatchPlan& plan,
                                                      const StepContext& step, int top_k) {
  return row_ids(plan, step, top_k);
}

/// Makes of a chunk, and of its rows' ids, what the backend's functions read.
inline void place_chunk(const CpuBackend& /*cpu*/, const ExpertChunk& /*chunk*/,
                        std::span<const std::int64_t> /*row_ids*/,
                        RankTypes<CpuBackend>::ChunkPlace& /*place*/) {}

template <class T>
void reorder_rows(const ExpertChunk& chunk, const RankTypes<CpuBackend>::ChunkPlace& /*place*/,
                  const CpuBackend& cpu, std::int64_t columns, const T* from, RowOrder to_order,
                  T* to) {
  reorder(chunk, cpu, columns, from, to_order, to);
}

template <class T>
[[nodiscard]] ExpertWeightsView<T> chunk_weights(const ChunkJob<CpuBackend, T>& job) {
  const HeldExperts held = held_experts(job.layer);
  const ExpertWeights<T>& all = job.weights.experts;
  return {.w1 = of_chunk<const T>(job.chunk, first_weights(held), all.w1),
          .w2 = of_chunk<const T>(job.chunk, second_weights(held), all.w2)};
}

/// What the experts make of the rows of the job's state.
template <class T>
[[nodiscard]] std::span<const T> experts_forward(const ChunkJob<CpuBackend, T>& job) {
  const HeldExperts held = held_experts(job.layer);
  expert_ffn_forward<T>(chunk_shape(held, job.chunk),
                        chunk_dropout(held, job.step, job.state.row_ids), job.layer.backend,
                        {job.state.rows, job.chunk.offsets}, chunk_weights(job), job.state.experts);
  return job.state.experts.output;
}

/// Gradients of the rows, in scratch.d_expert_rows, and of the chunk's weights.
/// @param d_output  (rows of the chunk, d_model)
template <class T>
[[nodiscard]] std::span<const T> experts_backward(const ChunkJob<CpuBackend, T>& job,
                                                  std::span<const T> d_output,
                                                  RankBackwardScratch<T>& scratch,
                                                  MoeGradients& gradients) {
  const HeldExperts held = held_experts(job.layer);
  scratch.d_expert_rows.resize(d_output.size());
  expert_ffn_backward<T>(chunk_shape(held, job.chunk),
                         chunk_dropout(held, job.step, job.state.row_ids), job.layer.backend,
                         {job.state.rows, job.chunk.offsets}, chunk_weights(job), job.state.experts,
                         d_output, scratch.d_hidden, scratch.d_pre,
                         {.d_rows = scratch.d_expert_rows,
                          .d_w1 = of_chunk<float>(job.chunk, first_weights(held), gradients.w1),
                          .d_w2 = of_chunk<float>(job.chunk, second_weights(held), gradients.w2)});
  return scratch.d_expert_rows;
}

/// The router's gradient, and its part of the inputs' in scratch.d_router_inputs.
template <class T>
void router_gradients(const RankLayer& layer, const StepContext& step, std::span<const T> inputs,
                      const MoeWeights<T>& weights, const Routing& routing,
                      RankBackwardScratch<T>& scratch, MoeGradients& gradients) {
  route_backward<T>(layer.spec, step, layer.backend, inputs, weights.router, routing,
                    scratch.d_gates, gradients.router, scratch.d_router_inputs);
}

// What programs need beside: numbers of the host put where the backend computes, and back.

template <class T>
void put_numbers(const CpuBackend& /*cpu*/, Buffer<T>&& from, Buffer<T>& to) {
  to = std::move(from);
}

/// @param shape  of the experts of this rank
template <class T>
void put_weights(const CpuBackend& /*cpu*/, const MoeLayerSpec& /*spec*/,
                 const ExpertShape& /*shape*/, MoeWeights<T>&& from, MoeWeights<T>& to) {
  to = std::move(from);
}

/// @throws KernelError (kNotFinite) with token and column of the first number that is not finite.
template <class T>
void require_finite_outputs(const CpuBackend& /*cpu*/, const Buffer<T>& outputs, int columns) {
  require_finite<T>("outputs", outputs, columns);
}

/// (T, top_k)
[[nodiscard]] inline std::vector<std::int32_t> chosen_experts(const CpuBackend& /*cpu*/,
                                                              const Routing& routing) {
  return {routing.experts.begin(), routing.experts.end()};
}

[[nodiscard]] inline RoutingCounts routing_counts(const CpuBackend& cpu, const Routing& routing,
                                                  const DispatchPlan& plan) {
  return {.choices = {plan.num_chosen.begin(), plan.num_chosen.end()},
          .rows = rows_of_experts(cpu, plan),
          .aux_loss = routing.aux_loss,
          .z_loss = routing.z_loss};
}

}  // namespace switchyard::kernels
