#pragma once

#include "kernels/ranks/chunk_experts.hpp"

namespace switchyard::kernels {

/// The experts of one chunk in one step, whose state keeps its rows. Borrows everything.
template <class Backend, class T>
struct ChunkJob {
  const BasicRankLayer<Backend>& layer;
  const StepContext& step;
  const ExpertChunk& chunk;
  const RankWeights<Backend, T>& weights;
  ChunkState<Backend, T>& state;
};

}  // namespace switchyard::kernels
