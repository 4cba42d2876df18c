#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/grouped_schedule.cuh"
#include "kernels/cuda/tma.cuh"
#include "kernels/cuda/wgmma.cuh"

namespace switchyard::kernels {

/// Shape of the grouped kernel: kConsumers warpgroups of 64 rows each multiply what one more
/// warpgroup copies into a ring of kStages pairs of tiles of depth kDepth.
template <Product kProduct_, int kConsumers_, int kColumns_>
struct GroupedConfig {
  static constexpr Product kProduct = kProduct_;
  static constexpr int kConsumers = kConsumers_;
  static constexpr int kColumns = kColumns_;
  static constexpr int kRows = 64 * kConsumers;
  static constexpr int kDepth = 64;
  static constexpr int kThreads = 128 * (kConsumers + 1);
  static constexpr int kPanels = (kColumns + 63) / 64;  ///< of b
  static constexpr bool kRowsAlongDepth = kProduct != Product::kWeightGradient;
  static constexpr bool kColumnsAlongDepth = kProduct == Product::kForward;
  static_assert(kColumns % 64 == 0 || kColumnsAlongDepth);

  static constexpr std::uint32_t kRowsBytes = kConsumers * kPanelBytes;
  static constexpr std::uint32_t kColumnsBytes = kPanels * kPanelBytes;
  static constexpr std::uint32_t kStageBytes = kRowsBytes + kColumnsBytes;
  /// What copies bring into a stage.
  static constexpr std::uint32_t kCopiedBytes =
      kRowsBytes + (kColumnsAlongDepth ? kColumns * kTileRowBytes : kColumnsBytes);
  static constexpr int kStages = std::min(12U, 196608U / kStageBytes);
};

/// Shared memory of a block: tiles, staging of the epilogue, barriers, offsets.
template <class Config>
struct SharedLayout {
  static constexpr std::uint32_t kStagingBytesPerWarp = 16 * 72 * 2;
  static constexpr std::uint32_t kStaging = Config::kStages * Config::kStageBytes;
  static constexpr std::uint32_t kBarriers =
      kStaging + Config::kConsumers * 4 * kStagingBytesPerWarp;
  static constexpr std::uint32_t kOffsets = kBarriers + Config::kStages * 16;

  /// 1024 more, since the tiles must begin at such a multiple.
  static constexpr std::uint32_t bytes(int num_experts) {
    return kOffsets + static_cast<std::uint32_t>(num_experts + 1) * 4 + 1024;
  }
};

/// Position in the ring; a stage's barriers change parity each time round.
template <class Config>
struct RingPlace {
  int stage = 0;
  std::uint32_t parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage < Config::kStages) return;
    stage = 0;
    parity ^= 1U;
  }
};

/// Addresses in shared memory.
template <class Config>
struct Ring {
  std::uint32_t base;

  __device__ __forceinline__ std::uint32_t rows(int stage) const {
    return base + static_cast<std::uint32_t>(stage) * Config::kStageBytes;
  }
  __device__ __forceinline__ std::uint32_t columns(int stage) const {
    return rows(stage) + Config::kRowsBytes;
  }
  __device__ __forceinline__ std::uint32_t full(int stage) const {
    return base + SharedLayout<Config>::kBarriers + static_cast<std::uint32_t>(stage) * 16;
  }
  __device__ __forceinline__ std::uint32_t empty(int stage) const { return full(stage) + 8; }

  /// By one thread, before a barrier of the block.
  __device__ __forceinline__ void init() const {
    for (int stage = 0; stage < Config::kStages; ++stage) {
      barrier_init(full(stage), 1);
      barrier_init(empty(stage), 4 * Config::kConsumers);  // each warp of the consumers
    }
    barrier_init_fence();
  }
};

}  // namespace switchyard::kernels
