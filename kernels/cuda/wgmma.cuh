#pragma once

#include <cstdint>

#include "kernels/cuda/wgmma_add.cuh"

namespace switchyard::kernels {

/// Orders the registers and shared memory written before with the products that follow.
__device__ __forceinline__ void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most kPending committed groups of this warp are under way.
template <int kPending>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

/// Keeps the compiler from moving uses of d across.
template <int kSize>
__device__ __forceinline__ void pin(float (&d)[kSize]) {
#pragma unroll
  for (int i = 0; i < kSize; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

/// Gives registers of the warpgroup away, or takes them.
template <int kRegisters>
__device__ __forceinline__ void shrink_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void grow_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

/// Tiles in shared memory are rows of 128 bytes whose 16-byte pieces are swizzled in blocks of 8
/// rows, as TMA writes them with CU_TENSOR_MAP_SWIZZLE_128B; they begin at multiples of 1024 bytes.
inline constexpr std::uint32_t kTileRowBytes = 128;
inline constexpr std::uint32_t kBlockBytes = 8 * kTileRowBytes;
/// 64 rows of a tile.
inline constexpr std::uint32_t kPanelBytes = 64 * kTileRowBytes;

/// Descriptor of a tile at `address`. Contiguous depth (K-major): 64 numbers of depth a row, the
/// leading offset is not looked at. Otherwise: 64 rows of depth, 64 numbers of width each;
/// kPanelBytes from panel to panel.
template <bool kDepthIsContiguous>
__device__ __forceinline__ std::uint64_t tile_descriptor(std::uint32_t address) {
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t kLeading = std::uint64_t{kDepthIsContiguous ? 1 : kPanelBytes >> 4} << 16;
  constexpr std::uint64_t kStride = std::uint64_t{kBlockBytes >> 4} << 32;
  return kSwizzle128 | kStride | kLeading | ((address & 0x3ffffU) >> 4);
}

/// What to add to a descriptor for the next 16 numbers of depth.
template <bool kDepthIsContiguous>
inline constexpr std::uint64_t kDepthStep = kDepthIsContiguous ? 32 >> 4
                                                               : (16 * kTileRowBytes) >> 4;

}  // namespace switchyard::kernels
