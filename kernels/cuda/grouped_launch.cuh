#pragma once

#include <algorithm>
#include <string>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/grouped_epilogue.cuh"
#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/cuda/grouped_tiles.hpp"
#include "kernels/cuda/tensor_map.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

/// The two maps of a product and the most tiles that it can have.
struct GroupedLaunch {
  CUtensorMap rows_map;
  CUtensorMap columns_map;
  GroupedArguments args;
  std::int64_t max_tiles;
};

template <class Config, class Epilogue>
void launch_grouped(CudaBackend& cuda, const GroupedLaunch& launch,
                    const typename Epilogue::Target& target) {
  const auto kernel = grouped_kernel<Config, Epilogue>;
  const std::uint32_t bytes = SharedLayout<Config>::bytes(launch.args.num_experts);
  check_cuda(
      cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                           cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
      "shared memory of the grouped kernel");
  const auto blocks =
      static_cast<unsigned>(std::min<std::int64_t>(cuda.device().num_sms, launch.max_tiles));
  kernel<<<blocks, Config::kThreads, bytes, cuda.stream()>>>(launch.rows_map, launch.columns_map,
                                                             launch.args, target);
  check_launch("grouped_kernel");
}

[[nodiscard]] inline std::int64_t tiles_along(std::int64_t size, std::int64_t tile) {
  return (size + tile - 1) / tile;
}

/// Tiles of at most max_rows rows among the experts: a partial one for each expert with rows.
[[nodiscard]] inline std::int64_t max_row_tiles(const DeviceGroupedShape& shape, int tile_rows) {
  return shape.max_rows / tile_rows + std::min<std::int64_t>(shape.num_experts, shape.max_rows);
}

/// The tile of the backend's choice or, where that is not set, the estimated best.
[[nodiscard]] inline GemmTile tile_of(const CudaBackend& cuda, const DeviceGroupedShape& shape,
                                      std::int64_t columns, bool is_forward) {
  if (cuda.tile.rows > 0) return cuda.tile;
  const std::int64_t groups = std::min<std::int64_t>(shape.num_experts, shape.max_rows);
  return choose_tile({.num_groups = groups,
                      .rows_per_group = tiles_along(shape.max_rows, groups),
                      .columns = columns,
                      .num_sms = cuda.device().num_sms,
                      .is_forward = is_forward});
}

[[noreturn]] inline void refuse_tile(const GemmTile& tile) {
  throw KernelError{Fault::kSpec, "grouped product: there is no tile of " +
                                      std::to_string(tile.rows) + " * " +
                                      std::to_string(tile.columns) + " for it"};
}

}  // namespace switchyard::kernels
