#include "cost_models/compute.hpp"

#include <gtest/gtest.h>

#include "cost_models/matmul_time.hpp"
#include "tests/cost_models/gpu_device.hpp"

namespace switchyard {
namespace {

using namespace literals;

constexpr MatmulTile kMatrixUnit{
    .rows = 8, .minimum_rows = 128, .contraction = 128, .columns = 128};
constexpr MemoryTile kTiledMemory{.rows = 8, .columns = 128};

/// 10 TFLOP/s and 100 GB/s, half and a quarter of it reached, no tiles.
DeviceProfile plain_device() {
  return {.name = "plain",
          .peak_bfloat16 = 10_TFLOPps,
          .memory_bandwidth = 100_GBps,
          .memory_capacity = 1_GB,
          .memory_usable = 1.0,
          .matmul_tile = {},
          .memory_tile = {},
          .matmul_efficiency = {.value = 0.5},
          .memory_efficiency = {.value = 0.25},
          .operator_overhead = {}};
}

/// A product of `matmul` that moves `bytes` of untiled memory.
Operator kernel(const Matmul& matmul, std::int64_t bytes) {
  Operator op;
  op.matmul = matmul;
  op.traffic = {{Tensor{.outer = 1.0, .rows = 1, .columns = bytes, .element_bytes = 1}}};
  return op;
}

constexpr Matmul kNoProduct{};
/// 2 * 1000 * 1000 * 2500 = 5 GFLOP.
constexpr Matmul kFiveGiga{.batch = 1.0, .rows = 1000, .contraction = 1000, .columns = 2500};

TEST(PaddedFlop, IsTheProductsWorkWhenTilesFit) {
  const Matmul matmul{.batch = 3.0, .rows = 256, .contraction = 128, .columns = 384};
  EXPECT_EQ(padded_flop(matmul, kMatrixUnit), matmul_flop(matmul));
  EXPECT_EQ(padded_flop(matmul, {}), matmul_flop(matmul));
}

TEST(PaddedFlop, DoublesForHeadsOfHalfATile) {
  // Scores contract over d_head = 64 of 128; the weighted sum has 64 columns.
  const Matmul scores{.batch = 48.0, .rows = 512, .contraction = 64, .columns = 512};
  const Matmul context{.batch = 48.0, .rows = 512, .contraction = 512, .columns = 64};
  EXPECT_EQ(padded_flop(scores, kMatrixUnit), 2.0 * matmul_flop(scores));
  EXPECT_EQ(padded_flop(context, kMatrixUnit), 2.0 * matmul_flop(context));
}

TEST(PaddedFlop, RoundsEachDimensionByItself) {
  const Matmul matmul{.batch = 1.0, .rows = 513, .contraction = 129, .columns = 300};
  EXPECT_EQ(padded_flop(matmul, kMatrixUnit), Flop{2.0 * 520 * 256 * 384});
}

TEST(PaddedFlop, TakesAtLeastTheRowsOfAWeightLoad) {
  const Matmul few{.batch = 1.0, .rows = 16, .contraction = 128, .columns = 128};
  EXPECT_EQ(padded_flop(few, kMatrixUnit), Flop{2.0 * 128 * 128 * 128});
  const Matmul one_more_than_minimum{.batch = 1.0, .rows = 129, .contraction = 128, .columns = 128};
  EXPECT_EQ(padded_flop(one_more_than_minimum, kMatrixUnit), Flop{2.0 * 136 * 128 * 128});
}

TEST(PaddedBytes, PadsRowsAndColumnsButNotTheOuterDimension) {
  // (5, 9, 100): rows to 16, columns to 128.
  EXPECT_EQ(
      padded_bytes({.outer = 5.0, .rows = 9, .columns = 100, .element_bytes = 2}, kTiledMemory),
      Bytes{5.0 * 16 * 128 * 2});
}

TEST(PaddedBytes, BlowsUpANarrowLastDimension) {
  // One-hot of a token: 128 experts * 8 slots of float32; 8 columns occupy 128.
  const Tensor one_hot{.outer = 1024.0, .rows = 128, .columns = 8, .element_bytes = 4};
  EXPECT_EQ(padded_bytes(one_hot, kTiledMemory), 16.0 * padded_bytes(one_hot, {}));
  EXPECT_EQ(padded_bytes(one_hot, {}), Bytes{4.0 * num_elements(one_hot)});
}

TEST(MemoryTraffic, AddsPasses) {
  Operator op;
  op.traffic = {{Tensor{.rows = 8, .columns = 128, .element_bytes = 2}, 3.0},
                {Tensor{.rows = 1, .columns = 1, .element_bytes = 4}, 0.5}};
  // 3 * 2048 B, and half of a tile of 4096 B; without tiles 3 * 2048 + 2.
  EXPECT_EQ(memory_traffic(op, kTiledMemory), 8192_B);
  EXPECT_EQ(memory_traffic(op, {}), 6146_B);
}

TEST(OperatorTime, IsTheLargerOfProductAndTransfer) {
  const DeviceProfile device = plain_device();
  // 5 GFLOP at 5 TFLOP/s: 1 ms. 10 MB at 25 GB/s: 0.4 ms; 100 MB: 4 ms.
  EXPECT_NEAR(operator_time(kernel(kFiveGiga, 10'000'000), device).base(), 1e-3, 1e-15);
  EXPECT_NEAR(operator_time(kernel(kFiveGiga, 100'000'000), device).base(), 4e-3, 1e-15);
  EXPECT_TRUE(is_compute_bound(kernel(kFiveGiga, 10'000'000), device));
  EXPECT_FALSE(is_compute_bound(kernel(kFiveGiga, 100'000'000), device));
}

TEST(OperatorTime, OfElementwiseWorkIsItsTransfer) {
  const DeviceProfile device = plain_device();
  EXPECT_NEAR(operator_time(kernel(kNoProduct, 25'000'000), device).base(), 1e-3, 1e-15);
  EXPECT_FALSE(is_compute_bound(kernel(kNoProduct, 25'000'000), device));
}

TEST(OperatorTime, HasNoWeightLoadWithoutAProduct) {
  DeviceProfile device = plain_device();
  device.matmul_tile = kMatrixUnit;
  EXPECT_EQ(operator_time(kernel(kNoProduct, 0), device), Seconds{0});
}

TEST(OperatorTime, AddsTheOverheadOnce) {
  DeviceProfile device = plain_device();
  device.operator_overhead = 7_us;
  EXPECT_NEAR(operator_time(kernel(kFiveGiga, 10'000'000), device).base(), 1007e-6, 1e-15);
  EXPECT_NEAR(operator_time(kernel(kNoProduct, 0), device).base(), 7e-6, 1e-18);
}

// 0.8 of the speed lasts, so products take 1 / 0.8 = 1.25 times as long; memory keeps its speed.
TEST(OperatorTime, SlowsProductsOfHotDevicesAlone) {
  DeviceProfile device = plain_device();
  const Seconds cold = product_time(kernel(kFiveGiga, 0), device);
  const Seconds copy = operator_time(kernel(kNoProduct, 25'000'000), device);
  device.sustained_speed.value = 0.8;
  EXPECT_NEAR(product_time(kernel(kFiveGiga, 0), device) / cold, 1.25, 1e-12);
  EXPECT_EQ(operator_time(kernel(kNoProduct, 25'000'000), device), copy);
}

TEST(OperatorTime, NeverGrowsWithEfficiency) {
  for (const std::int64_t bytes : {1'000'000, 25'000'000, 200'000'000}) {
    Seconds by_matmul{1e9};
    Seconds by_memory{1e9};
    for (const double efficiency : {0.1, 0.2, 0.4, 0.8, 1.0}) {
      DeviceProfile device = plain_device();
      device.matmul_efficiency.value = efficiency;
      EXPECT_LE(operator_time(kernel(kFiveGiga, bytes), device), by_matmul);
      by_matmul = operator_time(kernel(kFiveGiga, bytes), device);
      device = plain_device();
      device.memory_efficiency.value = efficiency;
      EXPECT_LE(operator_time(kernel(kFiveGiga, bytes), device), by_memory);
      by_memory = operator_time(kernel(kFiveGiga, bytes), device);
    }
  }
}

TEST(OperatorTime, NeverFallsWithTiles) {
  const DeviceProfile plain = plain_device();
  DeviceProfile tiled = plain;
  tiled.matmul_tile = kMatrixUnit;
  tiled.memory_tile = kTiledMemory;
  for (const std::int64_t rows : {1, 100, 129, 1024})
    for (const std::int64_t columns : {7, 64, 128, 500}) {
      Operator op;
      op.matmul = {.batch = 2.0, .rows = rows, .contraction = 96, .columns = columns};
      op.traffic = {{Tensor{.outer = 2.0, .rows = rows, .columns = columns, .element_bytes = 2}}};
      EXPECT_GE(operator_time(op, tiled), operator_time(op, plain)) << rows << " x " << columns;
    }
}

TEST(PaddedFlop, CountsWhatIsComputed) {
  Matmul half = kFiveGiga;
  half.computed_share = 0.5;
  EXPECT_EQ(padded_flop(half, {}), 0.5 * padded_flop(kFiveGiga, {}));
}

TEST(OperatorTimeOnAGpu, IsTheLargerOfTilesAndStreamedOperands) {
  DeviceProfile device = four_multiprocessors();
  device.operator_overhead = 3_us;
  // Four tiles of ten steps, 20.97 us; 1 MB at half of 100 GB/s 20 us, 2 MB 40 us.
  const Matmul wave{.batch = 1.0, .rows = 256, .contraction = 640, .columns = 256};
  EXPECT_NEAR(operator_time(kernel(wave, 1'000'000), device).base(), 23.97152e-6, 1e-15);
  EXPECT_NEAR(operator_time(kernel(wave, 2'000'000), device).base(), 43e-6, 1e-15);
  EXPECT_TRUE(is_compute_bound(kernel(wave, 1'000'000), device));
  EXPECT_FALSE(is_compute_bound(kernel(wave, 2'000'000), device));
  // Without a product the memory's own efficiency holds, a quarter.
  EXPECT_NEAR(operator_time(kernel(kNoProduct, 1'000'000), device).base(), 43e-6, 1e-15);
}

TEST(OperatorTimeOnAGpu, OfFusedAttentionFollowsItsPhase) {
  const DeviceProfile device = four_multiprocessors();
  Operator op = kernel({.batch = 4.0,
                        .rows = 128,
                        .contraction = 128,
                        .columns = 1024,
                        .kernel = MatmulKernel::kFusedAttention},
                       1);
  op.phase = Phase::kForward;
  EXPECT_EQ(operator_time(op, device), fused_attention_time(op.matmul, Phase::kForward, device));
  op.phase = Phase::kBackward;
  EXPECT_EQ(operator_time(op, device), fused_attention_time(op.matmul, Phase::kBackward, device));
}

}  // namespace
}  // namespace switchyard
