#pragma once

#include "kernels/cpu/expert_ffn.hpp"
#include "kernels/ranks/rank_layer.hpp"

namespace switchyard::kernels {

/// Whether this call loses hidden numbers.
[[nodiscard]] bool drops_out(const MoeLayerSpec& spec, const StepContext& step);

[[nodiscard]] ExpertShape chunk_shape(const RankLayer& layer, const ExpertChunk& chunk);

/// @param row_ids  (rows of the chunk), borrowed
[[nodiscard]] ExpertDropout chunk_dropout(const RankLayer& layer, const StepContext& step,
                                          std::span<const std::int64_t> row_ids);

/// Numbers of W1 and W2 of each expert of this rank.
[[nodiscard]] std::size_t first_weights(const RankLayer& layer);
[[nodiscard]] std::size_t second_weights(const RankLayer& layer);

/// A chunk's part of an array over this rank's experts.
template <class Number>
[[nodiscard]] std::span<Number> of_chunk(const ExpertChunk& chunk, std::size_t per_expert,
                                         std::span<Number> all) {
  return all.subspan(static_cast<std::size_t>(chunk.first_expert) * per_expert,
                     static_cast<std::size_t>(chunk.num_experts) * per_expert);
}

template <class T>
[[nodiscard]] ExpertWeightsView<T> chunk_weights(const RankLayer& layer, const ExpertChunk& chunk,
                                                 ExpertWeightsView<T> all) {
  return {.w1 = of_chunk(chunk, first_weights(layer), all.w1),
          .w2 = of_chunk(chunk, second_weights(layer), all.w2)};
}

/// @throws KernelError (kShape) unless the weights are those of this rank's experts.
template <class T>
void require_weights(const RankLayer& layer, ExpertWeightsView<T> weights);

}  // namespace switchyard::kernels
