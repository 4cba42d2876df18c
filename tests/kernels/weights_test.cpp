#include "kernels/layer/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kernels/cpu/activation.hpp"
#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

constexpr ExpertShape kShape{
    .num_experts = 3, .d_model = 64, .d_ff = 16, .activation = Activation::kSwiglu};

TEST(InitialiseExperts, DrawsTruncatedNormals) {
  ExpertWeights<float> weights;
  ExpertShape shape = kShape;
  shape.d_model = 1000;
  initialise_experts(shape, {}, 1, 0, weights);
  double sum = 0.0;
  double squares = 0.0;
  double largest = 0.0;
  for (const float x : weights.w1) {
    sum += double{x};
    squares += double{x} * double{x};
    largest = std::max(largest, std::fabs(double{x}));
  }
  // n = 96000 numbers with sigma = sqrt(0.1 / 1000) = 0.01, cut at 2 sigma: the variance shrinks by
  // 1 - 2 * 2 * phi(2) / (2 * Phi(2) - 1) = 1 - 4 * 0.05399 / 0.9545 = 0.7737. Their mean is within
  // 4 sigma / sqrt(n) = 1.3e-4, their variance within 4 * sqrt(2 / n) = 1.8 %.
  const auto n = static_cast<double>(weights.w1.size());
  EXPECT_NEAR(sum / n, 0.0, 1.3e-4);
  EXPECT_NEAR(squares / n / 1e-4, 0.7737, 0.018 * 0.7737);
  EXPECT_LE(largest, 0.02 * (1 + 1e-6));
  EXPECT_GT(largest, 0.0199);
}

TEST(InitialiseExperts, GivesAShardTheNumbersOfTheWhole) {
  ExpertWeights<BFloat16> whole;
  ExpertWeights<BFloat16> shard;
  initialise_experts(kShape, {}, 1, 2, whole);
  // Expert 2, hidden columns 8 to 15, gate and up interleaved.
  const ExpertShape part{.num_experts = 1,
                         .d_model = 64,
                         .d_ff = 8,
                         .activation = Activation::kSwiglu,
                         .layout = GluLayout::kInterleaved8};
  initialise_experts(part, {.first_expert = 2, .first_hidden = 8, .all_hidden = 16}, 1, 2, shard);
  for (int j = 0; j < 8; ++j) {
    for (const bool up : {false, true})
      for (int i = 0; i < 64; ++i)
        ASSERT_EQ(
            shard.w1[static_cast<std::size_t>(first_row(part, j, up) * 64 + i)],
            whole.w1[static_cast<std::size_t>((2 * 32 + first_row(kShape, 8 + j, up)) * 64 + i)]);
    for (int i = 0; i < 64; ++i)
      ASSERT_EQ(shard.w2[static_cast<std::size_t>(i * 8 + j)],
                whole.w2[static_cast<std::size_t>((2 * 64 + i) * 16 + 8 + j)]);
  }
}

TEST(ConvertGluRows, InterleavesEightByEight) {
  const ExpertShape shape{
      .num_experts = 1, .d_model = 1, .d_ff = 16, .activation = Activation::kGeglu};
  Buffer<float> w1(32);
  for (std::size_t i = 0; i < 32; ++i) w1[i] = static_cast<float>(i);
  Buffer<float> mixed(32);
  convert_glu_rows<float>(shape, GluLayout::kInterleaved8, w1, mixed);
  // Gates 0 to 7, ups 16 to 23, gates 8 to 15, ups 24 to 31.
  EXPECT_EQ(mixed[7], 7);
  EXPECT_EQ(mixed[8], 16);
  EXPECT_EQ(mixed[16], 8);
  EXPECT_EQ(mixed[31], 31);
  ExpertShape other = shape;
  other.layout = GluLayout::kInterleaved8;
  Buffer<float> back(32);
  convert_glu_rows<float>(other, GluLayout::kGateThenUp, mixed, back);
  EXPECT_TRUE(have_same_bits(w1, back));
}

TEST(Activate, OfInterleavedColumnsIsThatOfSeparateOnes) {
  ExpertShape mixed = kShape;
  mixed.layout = GluLayout::kInterleaved8;
  const auto pre = uniform_numbers<float>(5 * 32, 1);
  Buffer<float> mixed_pre(pre.size());
  for (int r = 0; r < 5; ++r)
    for (int j = 0; j < 16; ++j)
      for (const bool up : {false, true})
        mixed_pre[static_cast<std::size_t>(r * 32 + first_row(mixed, j, up))] =
            pre[static_cast<std::size_t>(r * 32 + first_row(kShape, j, up))];
  Buffer<float> hidden(5 * 16);
  Buffer<float> mixed_hidden(5 * 16);
  activate<float>(kShape, {}, pre, hidden);
  activate<float>(mixed, {}, mixed_pre, mixed_hidden);
  EXPECT_TRUE(have_same_bits(hidden, mixed_hidden));
}

TEST(BFloat16, RoundsToTheNearestHalfToEven) {
  // 8 bits of significand: between 1 and 1 + 2^-7 lies 1 + 2^-8, which is rounded to even.
  EXPECT_EQ(rounded_to_bfloat16(1.0F + 0x1p-8F), 1.0F);
  EXPECT_EQ(rounded_to_bfloat16(1.0F + 3 * 0x1p-8F), 1.0F + 2 * 0x1p-7F);
  EXPECT_EQ(rounded_to_bfloat16(1.0F + 0x1.02p-8F), 1.0F + 0x1p-7F);
  EXPECT_EQ(rounded_to_bfloat16(-3.0e38F), -0x1.c4p127F);
  EXPECT_TRUE(std::isinf(rounded_to_bfloat16(std::numeric_limits<float>::max())));
  EXPECT_TRUE(std::isnan(rounded_to_bfloat16(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace switchyard::kernels
