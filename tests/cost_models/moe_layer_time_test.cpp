#include "cost_models/moe_layer_time.hpp"

#include <gmock/gmock.h>

namespace switchyard {
namespace {

using namespace literals;

/// 10 multiprocessors of 10 TFLOP/s together, 1000 GB/s; loads cost nothing to speak of.
DeviceProfile device() {
  DeviceProfile device;
  device.peak_bfloat16 = FlopPerSecond{10e12};
  device.memory_bandwidth = 1000_GBps;
  device.memory_efficiency.value = 0.5;
  device.matmul_model.emplace().multiprocessors = 10;
  device.matmul_model->fill_steps.value = 0.0;
  return device;
}

MoeLayerStack stack(ExpertKernels kernels) {
  MoeLayerStack stack{.name = "test", .framework = "test", .device = "test", .kernels = kernels};
  stack.load_rate.value = BytesPerSecond{1e15};
  stack.wave_quantization.value = 0.0;
  stack.hidden_share.value = 1.0;
  stack.layer_overhead.value = 7_us;
  return stack;
}

StackLayerShape shape() {
  return {.tokens = 1024, .d_model = 256, .d_ff = 512, .num_experts = 8, .top_k = 2};
}

TEST(RankLayer, SharesOutChoicesAndExperts) {
  StackLayerShape spread = shape();
  spread.expert_ranks = 4;
  spread.tensor_ranks = 2;
  const RankLayer rank = rank_layer(spread);
  EXPECT_EQ(rank.experts, 2);        // 8 over 4 ranks
  EXPECT_EQ(rank.rows, 512.0);       // 2048 choices over 4 ranks
  EXPECT_EQ(rank.expert_rows, 256);  // over 2 experts
  EXPECT_EQ(rank.all_choices, 2048.0);
  EXPECT_EQ(rank.d_ff, 256);
}

// One token with two choices: two experts on one rank, and on each of eight ranks still one.
TEST(RankLayer, HasNoMoreExpertsThanChoicesAndAtLeastOne) {
  StackLayerShape one = shape();
  one.tokens = 1;
  EXPECT_EQ(rank_layer(one).experts, 2);
  one.expert_ranks = 8;
  EXPECT_EQ(rank_layer(one).experts, 1);
  EXPECT_EQ(rank_layer(one).rows, 1.0);
}

// 8 experts of 256 rows, a multiple of every tile: 2 * 2048 * (256 * 1024 + 512 * 256) FLOP at 10
// TFLOP/s are 161.06 us. Traffic: weights of 8 * 393216, rows of 2048 * (256 + 1024 + 512 + 256)
// elements of 2 B at 1000 GB/s are 6.29 + 8.39 us, less, and hidden. Moved: 2048 * (2 * 256 + 3 *
// 512 + 256) + 1024 * 256 elements, 9.96 MB at 500 GB/s, are 19.92 us.
TEST(MoeLayerTime, AddsProductsCopiesAndOverhead) {
  const Seconds time = moe_layer_time(shape(), stack(ExpertKernels::kLibraryTiles), device());
  EXPECT_NEAR(time.base() * 1e6, 161.06 + 19.92 + 7.0, 0.02);
}

// Of the 14.68 us of traffic above, which are shorter than the operations, a quarter is not hidden.
TEST(MoeLayerTime, AddsWhatIsNotHiddenOfTheShorter) {
  MoeLayerStack partly = stack(ExpertKernels::kLibraryTiles);
  const Seconds all = moe_layer_time(shape(), partly, device());
  partly.hidden_share.value = 0.75;
  const Seconds some = moe_layer_time(shape(), partly, device());
  EXPECT_NEAR((some - all).base() * 1e6, 0.25 * 14.68, 0.01);
}

// With experts over 2 ranks, Triton's kernels pass over all 2048 choices: activation and sum read
// and write 2048 * (3 * 512 + 256) elements, zeros are written for 1024 * (2 * 512 + 256), sums for
// 1024 * 256: 5.24 M elements, 10.49 MB at 500 GB/s. Library tiles move 1024 * 2304 + 1024 * 256
// elements, 5.24 MB. Products are the same: 128 rows divide an expert's.
TEST(MoeLayerTime, PassesOverOtherRanksChoicesInTokenBlocks) {
  StackLayerShape spread = shape();
  spread.expert_ranks = 2;
  const Seconds blocks = moe_layer_time(spread, stack(ExpertKernels::kTokenBlocks), device());
  const Seconds tiles = moe_layer_time(spread, stack(ExpertKernels::kLibraryTiles), device());
  EXPECT_NEAR((blocks - tiles).base() * 1e6, 20.97 - 10.49, 0.02);
}

TEST(TokenBlock, IsAsHighAsTokensAskAndWideWhereTuned) {
  MoeLayerStack tuned = stack(ExpertKernels::kTokenBlocks);
  tuned.tuned = {{.experts = 8, .d_ff = 256}};
  StackLayerShape layer = shape();
  EXPECT_EQ(token_block(layer, tuned).width, 128);  // 512 columns are not tuned
  layer.tensor_ranks = 2;
  EXPECT_EQ(token_block(layer, tuned).width, 256);
  for (const auto& [tokens, height] :
       {std::pair{32, 16}, {33, 32}, {96, 32}, {97, 64}, {512, 64}, {513, 128}}) {
    layer.tokens = tokens;
    EXPECT_EQ(token_block(layer, tuned).height, height) << tokens;
  }
}

TEST(MoeLayerTimeDeathTest, RefusesExpertsThatRanksDoNotDivide) {
  StackLayerShape odd = shape();
  odd.expert_ranks = 3;
  EXPECT_DEATH((void)rank_layer(odd), "8 experts over 3");
}

}  // namespace
}  // namespace switchyard
