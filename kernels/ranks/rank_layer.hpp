#pragma once

#include <span>
#include <vector>

#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/step_context.hpp"
#include "kernels/ranks/expert_chunks.hpp"
#include "kernels/ranks/phases.hpp"
#include "kernels/ranks/rank_groups.hpp"
#include "kernels/ranks/rank_types.hpp"

namespace switchyard::kernels {

/// A layer and what this rank computes it with. Borrows the groups.
template <class Backend>
struct BasicRankLayer {
  MoeLayerSpec spec;
  const RankGroups& groups;
  typename RankTypes<Backend>::Handle backend;
  int num_chunks = 1;  ///< of experts; at most a rank's experts
};
using RankLayer = BasicRankLayer<CpuBackend>;

/// What the experts of one chunk keep.
template <class Backend, class T>
struct ChunkState {
  typename RankTypes<Backend>::ChunkPlace place;
  RankMemory<Backend, T> sorted;
  std::span<const T> rows;       ///< (rows, d_model) by expert: `sorted`, or the state's rows
  Buffer<std::int64_t> row_ids;  ///< (rows), with dropout alone
  typename RankTypes<Backend>::template Activations<T> experts;
};

/// Memory that is reused from call to call.
template <class Backend, class T>
struct ExchangeScratch {
  RankMemory<Backend, T> exchanged;  ///< (received rows, d_model), by source
  typename RankTypes<Backend>::template Reduce<T> reduce;
};

/// What a forward pass leaves for the backward pass, the layer's input apart. Not to be copied.
/// Arrays have room for R rows of this rank: no less than are used.
template <class Backend, class T>
struct BasicRankState {
  typename RankTypes<Backend>::Routing routing;
  typename RankTypes<Backend>::Plan plan;  ///< of this rank's tokens and all experts
  RankMemory<Backend, T> rows;             ///< (R, d_model), this rank's tokens sorted by expert
  RankMemory<Backend, T> returned;         ///< (R, d_model), what experts made of them
  std::vector<ExpertChunk> chunks;         ///< of the experts that this rank holds
  std::vector<ChunkState<Backend, T>> states;
  ExchangeScratch<Backend, T> scratch;
};
template <class T>
using RankLayerState = BasicRankState<CpuBackend, T>;

/// The layer, forward, on all ranks of the groups, which must call it together.
///
/// As layer_forward on each data rank's tokens, but for the order of sums over tensor ranks.
/// @param step     first_token: this data rank's; batch_tokens: of all data ranks
/// @param weights  the whole router and the experts that this rank holds (local_experts)
/// @param inputs   (T, d_model), this data rank's, the same on its tensor ranks; T may differ. In
///                 the backend's memory, as all spans
/// @throws KernelError on all ranks when one has a fault: "rank 2: inputs: token 1, ..."
template <class T, class Backend>
void rank_layer_forward(const BasicRankLayer<Backend>& layer, const StepContext& step,
                        const RankWeights<Backend, T>& weights, std::span<const T> inputs,
                        std::span<T> outputs, BasicRankState<Backend, T>& state, PhaseTimes& times);

/// Backward memory that is reused from step to step.
template <class Backend, class T>
struct BasicRankScratch {
  RankMemory<Backend, T> d_output_rows;        ///< (R, d_model)
  RankMemory<Backend, T> d_rows;               ///< (R, d_model)
  std::vector<RankMemory<Backend, T>> sorted;  ///< by chunk
  RankMemory<Backend, T> d_expert_rows;        ///< (most rows of a chunk, d_model)
  RankMemory<Backend, T> d_hidden;
  RankMemory<Backend, T> d_pre;
  RankMemory<Backend, float> d_gates;          ///< (T, k)
  RankMemory<Backend, float> d_router_inputs;  ///< (T, d_model)
  typename RankTypes<Backend>::RouterScratch router;
};
template <class T>
using RankBackwardScratch = BasicRankScratch<CpuBackend, T>;

/// Gradients as of layer_backward.
/// @param d_inputs   (T, d_model), overwritten
/// @param gradients  overwritten: of this data rank's tokens for the router, of this replica's
///                   tokens for the experts, until all_reduce_gradients
template <class T, class Backend>
void rank_layer_backward(const BasicRankLayer<Backend>& layer, const StepContext& step,
                         const RankWeights<Backend, T>& weights, std::span<const T> inputs,
                         BasicRankState<Backend, T>& state, std::span<const T> d_outputs,
                         BasicRankScratch<Backend, T>& scratch, std::span<T> d_inputs,
                         RankGradients<Backend>& gradients, PhaseTimes& times);

/// Adds up the router's gradient over data ranks and the experts' over replicas: MoeGradients and
/// ReduceScratch<float>, or a backend's own.
/// @throws KernelError on all ranks when memory is refused on one
template <class Gradients, class Reduce>
void all_reduce_gradients(const RankGroups& groups, Gradients& gradients, Reduce& scratch,
                          PhaseTimes& times);

}  // namespace switchyard::kernels
