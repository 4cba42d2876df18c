#include "cost_models/matmul_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr double kStepBytes = 128.0;
constexpr double kPartBytes = 8.0;  ///< a float32 part of a result, written and read
constexpr double kAttentionBlock = 128.0;
constexpr double kBackwardProducts = 2.5;  ///< for each one forward

using Tile = ProductTile;
constexpr std::array kTiles{Tile{64, 32},   Tile{64, 64},   Tile{64, 128}, Tile{128, 64},
                            Tile{128, 128}, Tile{128, 256}, Tile{256, 128}};
constexpr std::array kSplits{1, 2, 4, 8, 16};

/// What the products of one kernel have in common.
struct Kernel {
  double multiprocessors = 1.0;
  double flop_rate = 1.0;  ///< of one multiprocessor, FLOP/s
  double load_rate = 1.0;  ///< of one multiprocessor, B/s
  double fill_steps = 0.0;
  double wave_quantization = 0.0;
  double split_startup = 0.0;  ///< s
  std::int64_t step_length = 64;
  bool may_split = true;
};

std::int64_t parts(std::int64_t count, std::int64_t of) { return (count + of - 1) / of; }

Kernel kernel_of(const Matmul& matmul, const DeviceProfile& device) {
  const MatmulModel& model = *device.matmul_model;
  Kernel kernel{.multiprocessors = static_cast<double>(model.multiprocessors),
                .load_rate = model.load_rate.value.base(),
                .fill_steps = model.fill_steps.value,
                .wave_quantization = model.wave_quantization.value,
                .split_startup = model.split_startup.value.base(),
                .may_split = matmul.kernel == MatmulKernel::kGemm};
  FlopPerSecond rate = device.peak_bfloat16 * device.matmul_efficiency.value;
  if (matmul.type == MatmulType::kFloat32) {
    rate = model.peak_float32 * device.matmul_efficiency.value;
    kernel.step_length = 32;
  } else if (matmul.type == MatmulType::kFp8 && model.peak_fp8 > FlopPerSecond{}) {
    rate = model.peak_fp8 * model.fp8.efficiency.value;
    kernel.step_length = 128;
    kernel.fill_steps = model.fp8.fill_steps.value;
    kernel.wave_quantization = model.fp8.wave_quantization.value;
    kernel.may_split = false;
  }
  kernel.flop_rate = rate.base() / kernel.multiprocessors;
  return kernel;
}

double num_tiles(const Matmul& matmul, const Tile& tile) {
  return matmul.batch * static_cast<double>(parts(matmul.rows, tile.height)) *
         static_cast<double>(parts(matmul.columns, tile.width));
}

/// Seconds that one multiprocessor is busy with one tile.
double tile_time(const Matmul& matmul, const Tile& tile, int split, const Kernel& kernel) {
  const auto area = static_cast<double>(tile.height * tile.width);
  const auto edge = static_cast<double>(std::min(tile.height, matmul.rows) +
                                        std::min(tile.width, matmul.columns));
  const double step =
      std::max(2.0 * area * static_cast<double>(kernel.step_length) / kernel.flop_rate,
               edge * kStepBytes / kernel.load_rate);
  const auto steps =
      static_cast<double>(parts(parts(matmul.contraction, kernel.step_length), split));
  return (steps + kernel.fill_steps) * step * matmul.computed_share;
}

double waves(double tiles_each, double quantization) {
  if (tiles_each <= 1.0) return 1.0;
  return tiles_each + quantization * (std::ceil(tiles_each) - tiles_each);
}

/// Seconds of all products with this tile and split.
double time_with(std::span<const Matmul> products, const Tile& tile, int split,
                 const Kernel& kernel) {
  double tiles = 0.0;
  double busy = 0.0;
  double longest = 0.0;
  for (const Matmul& matmul : products) {
    const double count = num_tiles(matmul, tile) * split;
    if (count == 0.0) continue;
    const double time = tile_time(matmul, tile, split, kernel);
    tiles += count;
    busy += count * time;
    longest = std::max(longest, time);
  }
  if (tiles == 0.0) return 0.0;
  const double total = std::max(
      longest, busy / tiles * waves(tiles / kernel.multiprocessors, kernel.wave_quantization));
  if (split == 1) return total;
  const auto area = static_cast<double>(tile.height * tile.width);
  return total + kernel.split_startup +
         tiles * area * kPartBytes / (kernel.load_rate * kernel.multiprocessors);
}

}  // namespace

Seconds tiled_product_time(std::span<const Matmul> products, const DeviceProfile& device) {
  SWITCHYARD_CHECK(device.matmul_model.has_value(), "{} has no matmul_model", device.name);
  if (products.empty()) return Seconds{};
  const Matmul& first = products.front();
  const Kernel kernel = kernel_of(first, device);
  for (const Matmul& matmul : products)
    SWITCHYARD_CHECK(matmul.type == first.type && matmul.kernel == first.kernel,
                     "products of several types or kernels in one");
  double best = std::numeric_limits<double>::infinity();
  for (const Tile& tile : kTiles) {
    double tiles = 0.0;
    for (const Matmul& matmul : products) tiles += num_tiles(matmul, tile);
    for (const int split : kSplits) {
      if (split > 1 && (!kernel.may_split || tiles * split / 2 >= kernel.multiprocessors)) break;
      best = std::min(best, time_with(products, tile, split, kernel));
    }
  }
  return Seconds{best};
}

Seconds one_tile_product_time(const Matmul& matmul, const ProductTile& tile,
                              const DeviceProfile& device) {
  SWITCHYARD_CHECK(device.matmul_model.has_value(), "{} has no matmul_model", device.name);
  return Seconds{time_with({&matmul, 1}, tile, 1, kernel_of(matmul, device))};
}

Seconds fused_attention_time(const Matmul& matmul, Phase phase, const DeviceProfile& device) {
  SWITCHYARD_CHECK(device.matmul_model.has_value(), "{} has no matmul_model", device.name);
  const MatmulModel& model = *device.matmul_model;
  const bool is_backward = phase == Phase::kBackward;
  const AttentionKernel& kernel = is_backward ? model.attention_backward : model.attention_forward;
  const double products = is_backward ? kBackwardProducts : 1.0;
  const double visible = matmul.computed_share / products;
  const auto block = static_cast<std::int64_t>(kAttentionBlock);
  const double blocks = visible * static_cast<double>(parts(matmul.columns, block)) +
                        (visible < 1.0 ? 0.5 : 0.0) + kernel.fill_blocks.value;
  const double tiles = matmul.batch * static_cast<double>(parts(matmul.rows, block));
  const auto contraction = static_cast<double>(matmul.contraction);
  const double width = contraction / 2.0;
  const FlopPerSecond rate = device.peak_bfloat16 * kernel.efficiency.value * width /
                             (width + kernel.half_rate_width.value);
  const Flop of_block{2.0 * products * kAttentionBlock * kAttentionBlock * contraction};
  return std::max(static_cast<double>(model.multiprocessors), tiles) * blocks * of_block / rate;
}

}  // namespace switchyard
