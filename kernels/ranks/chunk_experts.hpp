#pragma once

#include "kernels/cpu/expert_ffn.hpp"
#include "kernels/ranks/rank_layer.hpp"

namespace switchyard::kernels {

/// Whether this call loses hidden numbers.
[[nodiscard]] bool drops_out(const MoeLayerSpec& spec, const StepContext& step);

/// What this rank holds of a layer. Borrows the groups.
struct HeldExperts {
  const MoeLayerSpec& spec;
  const RankGroups& groups;
};
template <class Backend>
[[nodiscard]] HeldExperts held_experts(const BasicRankLayer<Backend>& layer) {
  return {layer.spec, layer.groups};
}

[[nodiscard]] ExpertShape chunk_shape(const HeldExperts& held, const ExpertChunk& chunk);

/// @param row_ids  (rows of the chunk), borrowed
[[nodiscard]] ExpertDropout chunk_dropout(const HeldExperts& held, const StepContext& step,
                                          std::span<const std::int64_t> row_ids);

/// Numbers of W1 and W2 of each expert of this rank.
[[nodiscard]] std::size_t first_weights(const HeldExperts& held);
[[nodiscard]] std::size_t second_weights(const HeldExperts& held);

/// A chunk's part of an array over this rank's experts.
template <class Number>
[[nodiscard]] std::span<Number> of_chunk(const ExpertChunk& chunk, std::size_t per_expert,
                                         std::span<Number> all) {
  return all.subspan(static_cast<std::size_t>(chunk.first_expert) * per_expert,
                     static_cast<std::size_t>(chunk.num_experts) * per_expert);
}

/// @throws KernelError (kShape) unless the sizes are those of this rank's experts.
void require_weights(const HeldExperts& held, std::size_t w1_size, std::size_t w2_size);

}  // namespace switchyard::kernels
