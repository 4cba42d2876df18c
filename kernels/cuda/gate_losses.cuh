#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/cuda/gate.hpp"
#include "kernels/cuda/gate_logits.cuh"
#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// Tokens cut into chunks that do not cross groups; each group has the same number of chunks, of
/// which the last may be empty.
struct GateChunks {
  int num_experts = 0;
  std::int64_t num_tokens = 0;
  std::int64_t group_tokens = 0;
  std::int64_t num_groups = 0;
  std::int64_t chunks_per_group = 0;

  [[nodiscard]] constexpr std::int64_t num_chunks() const { return num_groups * chunks_per_group; }
};

inline GateChunks gate_chunks(const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const auto [num_groups, group_tokens] = token_groups(spec, num_tokens);
  return {.num_experts = spec.num_experts,
          .num_tokens = num_tokens,
          .group_tokens = group_tokens,
          .num_groups = num_groups,
          .chunks_per_group = (group_tokens + kGateChunkTokens - 1) / kGateChunkTokens};
}

struct TokenRange {
  std::int64_t begin;
  std::int64_t end;
};

__device__ inline TokenRange tokens_of_chunk(const GateChunks& chunks, std::int64_t chunk) {
  const std::int64_t group = chunk / chunks.chunks_per_group;
  const std::int64_t group_begin = group * chunks.group_tokens;
  const std::int64_t group_end = min(group_begin + chunks.group_tokens, chunks.num_tokens);
  const std::int64_t begin = group_begin + chunk % chunks.chunks_per_group * kGateChunkTokens;
  return {begin, min(begin + kGateChunkTokens, group_end)};
}

struct ChunkSumTargets {
  std::int32_t* first_choices;  ///< (groups, E), added to
  float* probability_sums;      ///< (chunks, E)
  double* z_partials;           ///< (chunks)
};

/// Sums over the tokens of a chunk in the shared memory of its block.
template <int kWarps>
class ChunkSums {
 public:
  static std::size_t bytes(int num_experts) {
    return kWarps * sizeof(double) +
           static_cast<std::size_t>(num_experts) * (sizeof(float) + sizeof(std::int32_t));
  }

  __device__ explicit ChunkSums(int num_experts) : num_experts_{num_experts} {
    extern __shared__ double chunk_sums_memory[];
    z_ = chunk_sums_memory;
    sums_ = reinterpret_cast<float*>(z_ + kWarps);
    counts_ = reinterpret_cast<std::int32_t*>(sums_ + num_experts);
  }

  __device__ void clear() const {
    for (int e = static_cast<int>(threadIdx.x); e < num_experts_; e += kWarps * kWarp) {
      sums_[e] = 0.0F;
      counts_[e] = 0;
    }
    __syncthreads();
  }

  /// By one lane.
  __device__ void count_first(int expert) const { atomicAdd(&counts_[expert], 1); }

  /// One warp after the other, so that sums have the same bits in every run.
  template <int kPerLane>
  __device__ void add(const ExpertRow<kPerLane>& of_warp) const {
    for (int turn = 0; turn < kWarps; ++turn) {
      if (warp_id() == turn)
#pragma unroll
        for (int i = 0; i < kPerLane; ++i)
          if (expert_of(i) < num_experts_) sums_[expert_of(i)] += of_warp.values[i];
      __syncthreads();
    }
  }

  __device__ void store(const GateChunks& chunks, const ChunkSumTargets& to, double z) const {
    if (lane_id() == 0) z_[warp_id()] = z;
    __syncthreads();
    const std::int64_t chunk = blockIdx.x;
    const std::int64_t group = chunk / chunks.chunks_per_group;
    for (int e = static_cast<int>(threadIdx.x); e < num_experts_; e += kWarps * kWarp) {
      to.probability_sums[chunk * num_experts_ + e] = sums_[e];
      if (counts_[e] > 0) atomicAdd(&to.first_choices[group * num_experts_ + e], counts_[e]);
    }
    if (threadIdx.x > 0) return;
    double sum = 0.0;
    for (int warp = 0; warp < kWarps; ++warp) sum += z_[warp];
    to.z_partials[chunk] = sum;
  }

 private:
  int num_experts_;
  double* z_;
  float* sums_;
  std::int32_t* counts_;
};

/// Fills in aux_slopes and losses from first_choices, probability_sums and z_partials.
/// @param batch_tokens  what losses are means over
void launch_losses(CudaBackend& cuda, const MoeLayerSpec& spec, std::int64_t batch_tokens,
                   const GateChunks& chunks, DeviceRouting& routing);

/// Blocks of the kernel of launch_losses, partial sums of the auxiliary loss.
[[nodiscard]] inline std::int64_t num_aux_partials(const GateChunks& chunks) {
  return chunks.num_groups * ((chunks.num_experts + kWarp - 1) / kWarp);
}

}  // namespace switchyard::kernels
