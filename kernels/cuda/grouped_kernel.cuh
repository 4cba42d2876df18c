#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/cuda/grouped_ring.cuh"
#include "kernels/cuda/warp.cuh"

namespace switchyard::kernels {

/// What the grouped kernel is told. `out_rows` are of an expert's output in kWeightGradient alone.
struct GroupedArguments {
  const std::int32_t* offsets;  ///< (E + 1)
  int num_experts;
  int out_rows;
  int columns;  ///< of the output
  int depth;    ///< of the products; in kWeightGradient it is the rows of the expert
};

template <class Config>
__device__ __forceinline__ int num_depth_blocks(const GroupedArguments& args, const Tile& tile) {
  const int depth = Config::kProduct == Product::kWeightGradient ? tile.num_rows : args.depth;
  return (depth + Config::kDepth - 1) / Config::kDepth;
}

/// One thread: copies one stage's tiles.
template <class Config>
__device__ __forceinline__ void copy_stage(const CUtensorMap& rows_map,
                                           const CUtensorMap& columns_map, const Ring<Config>& ring,
                                           int stage, const Tile& tile, int depth) {
  const std::uint32_t full = ring.full(stage);
  const int row = tile.row_tile * Config::kRows;
  const int column = tile.column_tile * Config::kColumns;
  barrier_arrive_expecting(full, Config::kCopiedBytes);
  if constexpr (Config::kRowsAlongDepth) {
    copy_box(ring.rows(stage), rows_map, depth, tile.first_row + row, full);
  } else {
#pragma unroll
    for (int i = 0; i < Config::kConsumers; ++i)
      copy_box(ring.rows(stage) + i * kPanelBytes, rows_map, row + i * 64, tile.first_row + depth,
               full);
  }
  if constexpr (Config::kColumnsAlongDepth) {
    copy_box(ring.columns(stage), columns_map, depth, column, tile.expert, full);
  } else {
#pragma unroll
    for (int i = 0; i < Config::kPanels; ++i) {
      const std::uint32_t to = ring.columns(stage) + i * kPanelBytes;
      if constexpr (Config::kProduct == Product::kDataGradient)
        copy_box(to, columns_map, column + i * 64, depth, tile.expert, full);
      else
        copy_box(to, columns_map, column + i * 64, tile.first_row + depth, full);
    }
  }
}

template <class Config>
__device__ __forceinline__ void produce(const CUtensorMap& rows_map, const CUtensorMap& columns_map,
                                        const Ring<Config>& ring, const Schedule& schedule,
                                        const GroupedArguments& args) {
  TileWalk<Config::kProduct, Config::kRows> walk{schedule};
  RingPlace<Config> at;
  Tile tile;
  for (int index = static_cast<int>(blockIdx.x); walk.seek(index, tile);
       index += static_cast<int>(gridDim.x)) {
    const int blocks = num_depth_blocks<Config>(args, tile);
    for (int block = 0; block < blocks; ++block) {
      // The first time round the stages are free: the phase before the first has ended.
      barrier_wait(ring.empty(at.stage), at.parity ^ 1U);
      copy_stage<Config>(rows_map, columns_map, ring, at.stage, tile, block * Config::kDepth);
      at.advance();
    }
  }
}

/// Both operands' rows of depth from `depth` on become zeros: they are of the next expert, or of
/// none, and may hold NaN. Each warpgroup clears its own rows and its share of the columns.
template <class Config>
__device__ __forceinline__ void clear_tail(const Ring<Config>& ring, int stage, int warpgroup,
                                           int depth) {
  const auto begin = static_cast<std::uint32_t>(depth) * kTileRowBytes;
  const std::uint32_t thread = threadIdx.x % 128;
  const auto clear = [&](std::uint32_t panel) {
    for (std::uint32_t at = begin + thread * 16; at < kPanelBytes; at += 128 * 16)
      asm volatile("st.shared.v4.b32 [%0], {%1, %1, %1, %1};" ::"r"(panel + at), "r"(0) : "memory");
  };
  clear(ring.rows(stage) + static_cast<std::uint32_t>(warpgroup) * kPanelBytes);
  for (int i = warpgroup; i < Config::kPanels; i += Config::kConsumers)
    clear(ring.columns(stage) + static_cast<std::uint32_t>(i) * kPanelBytes);
  shared_writes_fence();
  named_barrier(1, 128 * Config::kConsumers);
}

/// Queues the products of one stage.
template <class Config>
__device__ __forceinline__ void multiply_stage(const Ring<Config>& ring, int stage, int warpgroup,
                                               bool is_first, float (&sums)[Config::kColumns / 2]) {
  using Add =
      Wgmma<Config::kColumns, Config::kRowsAlongDepth ? 0 : 1, Config::kColumnsAlongDepth ? 0 : 1>;
  const std::uint64_t rows = tile_descriptor<Config::kRowsAlongDepth>(
      ring.rows(stage) + static_cast<std::uint32_t>(warpgroup) * kPanelBytes);
  const std::uint64_t columns = tile_descriptor<Config::kColumnsAlongDepth>(ring.columns(stage));
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < Config::kDepth / 16; ++i)
    Add::add(sums, rows + static_cast<std::uint64_t>(i) * kDepthStep<Config::kRowsAlongDepth>,
             columns + static_cast<std::uint64_t>(i) * kDepthStep<Config::kColumnsAlongDepth>,
             is_first && i == 0 ? 0 : 1);
  wgmma_commit();
}

template <class Config, class Epilogue>
__device__ __forceinline__ void consume(const Ring<Config>& ring, const Schedule& schedule,
                                        const GroupedArguments& args, const Epilogue& epilogue) {
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  // A tile of an expert without rows is written all the same in this product.
  constexpr bool kMayBeEmpty = Config::kProduct == Product::kWeightGradient;
  TileWalk<Config::kProduct, Config::kRows> walk{schedule};
  RingPlace<Config> at;
  Tile tile;
  float sums[Config::kColumns / 2] = {};
  for (int index = static_cast<int>(blockIdx.x); walk.seek(index, tile);
       index += static_cast<int>(gridDim.x)) {
    const int blocks = num_depth_blocks<Config>(args, tile);
    if constexpr (kMayBeEmpty) {
#pragma unroll
      for (float& sum : sums) sum = 0.0F;
    }
    int previous = 0;
    for (int block = 0; block < blocks; ++block) {
      barrier_wait(ring.full(at.stage), at.parity);
      if constexpr (Config::kProduct == Product::kWeightGradient) {
        const int depth = tile.num_rows - block * Config::kDepth;
        if (depth < Config::kDepth) clear_tail<Config>(ring, at.stage, warpgroup, depth);
      }
      multiply_stage<Config>(ring, at.stage, warpgroup, !kMayBeEmpty && block == 0, sums);
      if (block > 0) {
        wgmma_wait<1>();  // so the stage before is read
        if (lane_id() == 0) barrier_arrive(ring.empty(previous));
      }
      previous = at.stage;
      at.advance();
    }
    wgmma_wait<0>();
    pin(sums);
    if (lane_id() == 0 && (!kMayBeEmpty || blocks > 0)) barrier_arrive(ring.empty(previous));
    epilogue.store(args, tile, warpgroup, sums);
  }
}

/// Persistent: as many blocks as multiprocessors; block b computes tiles b, b + gridDim.x, ...
template <class Config, class Epilogue>
__global__ void __launch_bounds__(Config::kThreads, 1)
    grouped_kernel(const __grid_constant__ CUtensorMap rows_map,
                   const __grid_constant__ CUtensorMap columns_map, const GroupedArguments args,
                   const typename Epilogue::Target target) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ unsigned char shared_memory[];
  const std::uint32_t shift = (1024U - shared_address(shared_memory) % 1024U) % 1024U;
  unsigned char* shared = shared_memory + shift;
  const Ring<Config> ring{shared_address(shared)};
  auto* offsets = reinterpret_cast<std::int32_t*>(shared + SharedLayout<Config>::kOffsets);
  for (int e = static_cast<int>(threadIdx.x); e <= args.num_experts; e += Config::kThreads)
    offsets[e] = args.offsets[e];
  if (threadIdx.x == 0) {
    prefetch_map(rows_map);
    prefetch_map(columns_map);
    ring.init();
  }
  __syncthreads();

  const Schedule schedule{offsets, args.num_experts,
                          (args.out_rows + Config::kRows - 1) / Config::kRows,
                          (args.columns + Config::kColumns - 1) / Config::kColumns};
  if (threadIdx.x >= 128 * Config::kConsumers) {
    if constexpr (Config::kConsumers == 2) shrink_registers<40>();
    if (threadIdx.x == 128 * Config::kConsumers)
      produce<Config>(rows_map, columns_map, ring, schedule, args);
  } else {
    if constexpr (Config::kConsumers == 2) grow_registers<232>();
    const Epilogue epilogue{target, shared + SharedLayout<Config>::kStaging};
    consume<Config>(ring, schedule, args, epilogue);
  }
#endif
}

}  // namespace switchyard::kernels
