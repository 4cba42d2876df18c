#pragma once

#include <span>
#include <vector>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/layer_state.hpp"
#include "kernels/layer/step_context.hpp"
#include "kernels/layer/weights.hpp"
#include "kernels/ranks/expert_chunks.hpp"
#include "kernels/ranks/expert_exchange.hpp"
#include "kernels/ranks/phases.hpp"
#include "kernels/ranks/rank_groups.hpp"

namespace switchyard::kernels {

/// A layer and what this rank computes it with. Borrows the groups.
struct RankLayer {
  MoeLayerSpec spec;
  const RankGroups& groups;
  CpuBackend cpu;
  int num_chunks = 1;  ///< of experts; at most a rank's experts
};

/// What the experts of one chunk keep.
template <class T>
struct ChunkState {
  Buffer<T> sorted;
  std::span<const T> rows;       ///< (rows, d_model) by expert: `sorted`, or the state's rows
  Buffer<std::int64_t> row_ids;  ///< (rows), with dropout alone
  ExpertActivations<T> experts;
};

/// What a forward pass leaves for the backward pass, the layer's input apart. Not to be copied.
template <class T>
struct RankLayerState {
  Routing routing;
  DispatchPlan plan;                ///< of this rank's tokens and all experts
  Buffer<T> rows;                   ///< (R, d_model), this rank's tokens sorted by expert
  Buffer<T> returned;               ///< (R, d_model), what experts made of them
  std::vector<ExpertChunk> chunks;  ///< of the experts that this rank holds
  std::vector<ChunkState<T>> states;
  ExchangeScratch<T> scratch;
};

/// The layer, forward, on all ranks of the groups, which must call it together.
///
/// As layer_forward on each data rank's tokens, but for the order of sums over tensor ranks.
/// @param step     first_token: this data rank's; batch_tokens: of all data ranks
/// @param weights  the whole router and the experts that this rank holds (local_experts)
/// @param inputs   (T, d_model), this data rank's, the same on its tensor ranks; T may differ
/// @throws KernelError on all ranks when one has a fault: "rank 2: inputs: token 1, ..."
template <class T>
void rank_layer_forward(const RankLayer& layer, const StepContext& step,
                        const MoeWeights<T>& weights, std::span<const T> inputs,
                        std::span<T> outputs, RankLayerState<T>& state, PhaseTimes& times);

/// Backward memory that is reused from step to step.
template <class T>
struct RankBackwardScratch {
  Buffer<T> d_output_rows;        ///< (R, d_model)
  Buffer<T> d_rows;               ///< (R, d_model)
  std::vector<Buffer<T>> sorted;  ///< by chunk
  Buffer<T> d_expert_rows;        ///< (most rows of a chunk, d_model)
  Buffer<T> d_hidden;
  Buffer<T> d_pre;
  Buffer<float> d_gates;          ///< (T, k)
  Buffer<float> d_router_inputs;  ///< (T, d_model)
};

/// Gradients as of layer_backward.
/// @param d_inputs   (T, d_model), overwritten
/// @param gradients  overwritten: of this data rank's tokens for the router, of this replica's
///                   tokens for the experts, until all_reduce_gradients
template <class T>
void rank_layer_backward(const RankLayer& layer, const StepContext& step,
                         const MoeWeights<T>& weights, std::span<const T> inputs,
                         RankLayerState<T>& state, std::span<const T> d_outputs,
                         RankBackwardScratch<T>& scratch, std::span<T> d_inputs,
                         MoeGradients& gradients, PhaseTimes& times);

/// Adds up the router's gradient over data ranks and the experts' over replicas.
/// @throws KernelError on all ranks when memory is refused on one
void all_reduce_gradients(const RankGroups& groups, MoeGradients& gradients,
                          ReduceScratch<float>& scratch, PhaseTimes& times);

}  // namespace switchyard::kernels
