#include "kernels/cuda/grouped_launch.cuh"
#include "kernels/cuda/grouped_wgmma.hpp"

namespace switchyard::kernels {
namespace {

template <class Config>
void launch_data_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const BFloat16* dy,
                          const BFloat16* w, BFloat16* dx) {
  const GroupedLaunch launch{
      .rows_map = make_tensor_map(
          {.data = dy, .rows = shape.max_rows, .columns = shape.n, .box_rows = Config::kRows}),
      .columns_map = make_tensor_map({.data = w,
                                      .matrices = shape.num_experts,
                                      .rows = shape.n,
                                      .columns = shape.k,
                                      .box_rows = Config::kDepth}),
      .args = {.offsets = shape.offsets,
               .num_experts = shape.num_experts,
               .out_rows = 0,
               .columns = static_cast<int>(shape.k),
               .depth = static_cast<int>(shape.n)},
      .max_tiles = max_row_tiles(shape, Config::kRows) * tiles_along(shape.k, Config::kColumns)};
  launch_grouped<Config, StoreRows<Config>>(cuda, launch, {dx});
}

template <class Config>
void launch_weight_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const BFloat16* dy,
                            const BFloat16* x, float* dw) {
  const GroupedLaunch launch{
      .rows_map = make_tensor_map(
          {.data = dy, .rows = shape.max_rows, .columns = shape.n, .box_rows = Config::kDepth}),
      .columns_map = make_tensor_map(
          {.data = x, .rows = shape.max_rows, .columns = shape.k, .box_rows = Config::kDepth}),
      .args = {.offsets = shape.offsets,
               .num_experts = shape.num_experts,
               .out_rows = static_cast<int>(shape.n),
               .columns = static_cast<int>(shape.k),
               .depth = 0},
      .max_tiles = shape.num_experts * tiles_along(shape.n, Config::kRows) *
                   tiles_along(shape.k, Config::kColumns)};
  launch_grouped<Config, StoreGradient<Config>>(cuda, launch, {dw});
}

}  // namespace

void grouped_data_gradient_wgmma(const DeviceGroupedShape& shape, CudaBackend& cuda,
                                 const BFloat16* dy, const BFloat16* w, BFloat16* dx) {
  if (shape.max_rows == 0) return;
  const GemmTile tile = tile_of(cuda, shape, shape.k, false);
  const auto launch = [&]<class Config>(Config) {
    launch_data_gradient<Config>(shape, cuda, dy, w, dx);
  };
  constexpr auto kProduct = Product::kDataGradient;
  if (tile == GemmTile{128, 256}) return launch(GroupedConfig<kProduct, 2, 256>{});
  if (tile == GemmTile{128, 128}) return launch(GroupedConfig<kProduct, 2, 128>{});
  if (tile == GemmTile{64, 256}) return launch(GroupedConfig<kProduct, 1, 256>{});
  if (tile == GemmTile{64, 128}) return launch(GroupedConfig<kProduct, 1, 128>{});
  if (tile == GemmTile{64, 64}) return launch(GroupedConfig<kProduct, 1, 64>{});
  refuse_tile(tile);
}

void grouped_weight_gradient_wgmma(const DeviceGroupedShape& shape, CudaBackend& cuda,
                                   const BFloat16* dy, const BFloat16* x, float* dw) {
  const auto bytes =
      static_cast<std::size_t>(shape.num_experts * shape.n * shape.k) * sizeof(float);
  if (shape.max_rows == 0)
    return check_cuda(cudaMemsetAsync(dw, 0, bytes, cuda.stream()), "cudaMemset");
  GemmTile tile = cuda.tile;
  if (tile.rows == 0)
    tile = choose_tile({.num_groups = shape.num_experts,
                        .rows_per_group = std::max(shape.n, kFewRows + 1),
                        .columns = shape.k,
                        .num_sms = cuda.device().num_sms,
                        .is_forward = false});
  constexpr auto kProduct = Product::kWeightGradient;
  if (tile == GemmTile{128, 256})
    return launch_weight_gradient<GroupedConfig<kProduct, 2, 256>>(shape, cuda, dy, x, dw);
  if (tile == GemmTile{128, 128})
    return launch_weight_gradient<GroupedConfig<kProduct, 2, 128>>(shape, cuda, dy, x, dw);
  refuse_tile(tile);
}

}  // namespace switchyard::kernels
