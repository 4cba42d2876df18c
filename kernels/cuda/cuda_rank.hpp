#pragma once

#include <vector>

#include "kernels/cpu/layer_check.hpp"
#include "kernels/cuda/device_all_reduce.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/cuda/expert_ffn.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/cuda/router.hpp"
#include "kernels/cuda/row_blocks.hpp"
#include "kernels/layer/row_ids.hpp"
#include "kernels/ranks/chunk_job.hpp"

// kernels/ranks/cpu_rank.hpp for ranks on GPUs. The groups' communicators exchange device memory.
namespace switchyard::kernels {

template <>
struct RankTypes<CudaBackend> {
  using Handle = CudaBackend&;
  template <class T>
  using Memory = DeviceBuffer<T>;
  template <class T>
  using Weights = DeviceMoeWeights<T>;
  using Gradients = DeviceMoeGradients;
  using Routing = DeviceRouting;
  using Plan = DevicePlan;
  template <class T>
  using Activations = DeviceExpertActivations<T>;
  struct ChunkPlace {
    DeviceBuffer<std::int32_t> offsets;  ///< (experts of the chunk + 1)
    DeviceRowBlocks blocks;
    DeviceBuffer<std::int64_t> row_ids;  ///< (rows), with dropout alone
  };
  using RouterScratch = kernels::RouterScratch;
  template <class T>
  using Reduce = DeviceReduceScratch<T>;
};
static_assert(NumberMemory<RankMemory<CudaBackend, float>, float>);

inline void wait_for(CudaBackend& cuda) { cuda.synchronize(); }

/// Nothing: an input that is not finite makes such a logit, which route_tokens finds.
template <class T>
void require_finite_numbers(CudaBackend& /*cuda*/, const char* /*argument*/,
                            std::span<const T> /*numbers*/, int /*columns*/) {}

template <class T>
void route_tokens(const MoeLayerSpec& spec, const StepContext& step, CudaBackend& cuda,
                  std::span<const T> inputs, const DeviceMoeWeights<T>& weights,
                  DeviceRouting& routing) {
  route<T>(spec, step, cuda, inputs, weights, routing);
  require_finite_logits(cuda, spec, routing);
}

inline void plan_rows(const MoeLayerSpec& spec, CudaBackend& cuda, const DeviceRouting& routing,
                      DevicePlan& plan) {
  build_plan(spec, cuda, routing.experts, plan);
}

[[nodiscard]] inline std::int64_t room_for_rows(const DevicePlan& plan) { return plan.max_rows; }

[[nodiscard]] inline std::vector<std::int64_t> rows_of_experts(CudaBackend& cuda,
                                                               const DevicePlan& plan) {
  Buffer<std::int32_t> offsets;
  copy_to_host<std::int32_t>(plan.offsets, offsets, cuda.stream());
  std::vector<std::int64_t> counts;
  for (std::size_t e = 0; e + 1 < offsets.size(); ++e)
    counts.push_back(offsets[e + 1] - offsets[e]);
  return counts;
}

[[nodiscard]] inline Buffer<std::int64_t> ids_of_rows(CudaBackend& cuda, const DevicePlan& plan,
                                                      const StepContext& step, int top_k) {
  DispatchPlan on_host;
  download(cuda, plan, on_host);
  return row_ids(on_host, step, top_k);
}

inline void place_chunk(CudaBackend& cuda, const ExpertChunk& chunk,
                        std::span<const std::int64_t> row_ids,
                        RankTypes<CudaBackend>::ChunkPlace& place) {
  copy_to_device<std::int32_t>(chunk.offsets, place.offsets, cuda.stream());
  copy_to_device<std::int64_t>(row_ids, place.row_ids, cuda.stream());
  upload(cuda, chunk, place.blocks);
}

template <class T>
void reorder_rows(const ExpertChunk& /*chunk*/, const RankTypes<CudaBackend>::ChunkPlace& place,
                  CudaBackend& cuda, std::int64_t columns, const T* from, RowOrder to_order,
                  T* to) {
  reorder(place.blocks, cuda, columns * static_cast<std::int64_t>(sizeof(T)), from, to_order, to);
}

template <class T>
[[nodiscard]] DeviceExpertWeightsView<T> chunk_weights(const ChunkJob<CudaBackend, T>& job) {
  const HeldExperts held = held_experts(job.layer);
  DeviceExpertWeightsView<T> view = view_of(job.weights.experts);
  view.shape.num_experts = job.chunk.num_experts;
  view.w1 = of_chunk<const T>(job.chunk, first_weights(held), view.w1);
  view.w2 = of_chunk<const T>(job.chunk, second_weights(held), view.w2);
  return view;
}

template <class T>
[[nodiscard]] DeviceDropout dropout_of(const ChunkJob<CudaBackend, T>& job) {
  const ExpertDropout on_host = chunk_dropout(held_experts(job.layer), job.step, {});
  return {.rate = on_host.rate,
          .stream = on_host.stream,
          .row_ids = job.state.place.row_ids.data(),
          .first_hidden = on_host.first_hidden,
          .all_hidden = on_host.all_hidden};
}

template <class T>
[[nodiscard]] DeviceExpertRows<T> rows_of(const ChunkJob<CudaBackend, T>& job) {
  return {.rows = job.state.rows,
          .offsets = job.state.place.offsets.data(),
          .max_rows = job.chunk.num_rows,
          .host_offsets = job.chunk.offsets};
}

template <class T>
[[nodiscard]] std::span<const T> experts_forward(const ChunkJob<CudaBackend, T>& job) {
  const auto weights = chunk_weights(job);
  resize_activations(weights.shape, job.chunk.num_rows, job.state.experts);
  expert_ffn_forward<T>(dropout_of(job), job.layer.backend, rows_of(job), weights,
                        job.state.experts);
  return job.state.experts.output;
}

template <class T>
[[nodiscard]] std::span<const T> experts_backward(const ChunkJob<CudaBackend, T>& job,
                                                  std::span<const T> d_output,
                                                  BasicRankScratch<CudaBackend, T>& scratch,
                                                  DeviceMoeGradients& gradients) {
  const HeldExperts held = held_experts(job.layer);
  const auto weights = chunk_weights(job);
  scratch.d_expert_rows.resize(d_output.size());
  scratch.d_hidden.resize(job.state.experts.hidden.size());
  scratch.d_pre.resize(job.state.experts.pre.size());
  expert_ffn_backward<T>(dropout_of(job), job.layer.backend, rows_of(job), weights,
                         job.state.experts, d_output,
                         {.d_hidden = scratch.d_hidden,
                          .d_pre = scratch.d_pre,
                          .d_rows = scratch.d_expert_rows,
                          .d_w1 = of_chunk<float>(job.chunk, first_weights(held), gradients.w1),
                          .d_w2 = of_chunk<float>(job.chunk, second_weights(held), gradients.w2)});
  return scratch.d_expert_rows;
}

template <class T>
void router_gradients(const BasicRankLayer<CudaBackend>& layer, const StepContext& step,
                      std::span<const T> inputs, const DeviceMoeWeights<T>& weights,
                      const DeviceRouting& routing, BasicRankScratch<CudaBackend, T>& scratch,
                      DeviceMoeGradients& gradients) {
  route_backward<T>(layer.spec, step, layer.backend, inputs, weights, routing, scratch.d_gates,
                    scratch.router, gradients.router, scratch.d_router_inputs);
}

template <class T>
void put_numbers(CudaBackend& cuda, Buffer<T>&& from, DeviceBuffer<T>& to) {
  copy_to_device<T>(from, to, cuda.stream());
}

template <class T>
void put_weights(CudaBackend& cuda, const MoeLayerSpec& spec, const ExpertShape& shape,
                 MoeWeights<T>&& from, DeviceMoeWeights<T>& to) {
  upload(cuda, spec, shape, from, to);
}

template <class T>
void require_finite_outputs(CudaBackend& cuda, const DeviceBuffer<T>& outputs, int columns) {
  Buffer<T> on_host;
  copy_to_host<T>(outputs, on_host, cuda.stream());
  require_finite<T>("outputs", on_host, columns);
}

/// (T, top_k)
[[nodiscard]] inline std::vector<std::int32_t> chosen_experts(CudaBackend& cuda,
                                                              const DeviceRouting& routing) {
  Buffer<std::int32_t> experts;
  copy_to_host<std::int32_t>(routing.experts, experts, cuda.stream());
  return {experts.begin(), experts.end()};
}

[[nodiscard]] inline RoutingCounts routing_counts(CudaBackend& cuda, const DeviceRouting& routing,
                                                  const DevicePlan& plan) {
  Buffer<std::int32_t> choices;
  Buffer<double> losses;
  copy_to_host<std::int32_t>(plan.num_chosen, choices, cuda.stream());
  copy_to_host<double>(routing.losses, losses, cuda.stream());
  return {.choices = {choices.begin(), choices.end()},
          .rows = rows_of_experts(cuda, plan),
          .aux_loss = losses[0],
          .z_loss = losses[1]};
}

}  // namespace switchyard::kernels
