#include "kernels/cuda/grouped_launch.cuh"
#include "kernels/cuda/grouped_wgmma.hpp"

namespace switchyard::kernels {
namespace {

template <class Config>
GroupedLaunch forward_launch(const DeviceGroupedShape& shape, const BFloat16* x,
                             const BFloat16* w) {
  return {
      .rows_map = make_tensor_map(
          {.data = x, .rows = shape.max_rows, .columns = shape.k, .box_rows = Config::kRows}),
      .columns_map = make_tensor_map({.data = w,
                                      .matrices = shape.num_experts,
                                      .rows = shape.n,
                                      .columns = shape.k,
                                      .box_rows = Config::kColumns}),
      .args = {.offsets = shape.offsets,
               .num_experts = shape.num_experts,
               .out_rows = 0,
               .columns = static_cast<int>(shape.n),
               .depth = static_cast<int>(shape.k)},
      .max_tiles = max_row_tiles(shape, Config::kRows) * tiles_along(shape.n, Config::kColumns)};
}

/// Calls launch with the GroupedConfig of the chosen tile.
template <class Launch>
void with_config(const DeviceGroupedShape& shape, const CudaBackend& cuda, const Launch& launch) {
  const GemmTile tile = tile_of(cuda, shape, shape.n, true);
  constexpr auto kProduct = Product::kForward;
  if (tile == GemmTile{128, 256}) return launch(GroupedConfig<kProduct, 2, 256>{});
  if (tile == GemmTile{128, 208}) return launch(GroupedConfig<kProduct, 2, 208>{});
  if (tile == GemmTile{128, 128}) return launch(GroupedConfig<kProduct, 2, 128>{});
  if (tile == GemmTile{64, 256}) return launch(GroupedConfig<kProduct, 1, 256>{});
  if (tile == GemmTile{64, 128}) return launch(GroupedConfig<kProduct, 1, 128>{});
  if (tile == GemmTile{64, 64}) return launch(GroupedConfig<kProduct, 1, 64>{});
  refuse_tile(tile);
}

}  // namespace

void grouped_forward_wgmma(const DeviceGroupedShape& shape, CudaBackend& cuda, const BFloat16* x,
                           const BFloat16* w, BFloat16* y) {
  if (shape.max_rows == 0) return;
  with_config(shape, cuda, [&]<class Config>(Config) {
    launch_grouped<Config, StoreRows<Config>>(cuda, forward_launch<Config>(shape, x, w), {y});
  });
}

void grouped_forward_activated_wgmma(const DeviceGroupedShape& shape, Activation activation,
                                     CudaBackend& cuda, const BFloat16* x, const BFloat16* w,
                                     BFloat16* pre, BFloat16* hidden) {
  if (shape.max_rows == 0) return;
  with_config(shape, cuda, [&]<class Config>(Config) {
    launch_grouped<Config, StoreActivated<Config>>(cuda, forward_launch<Config>(shape, x, w),
                                                   {pre, hidden, activation});
  });
}

}  // namespace switchyard::kernels
