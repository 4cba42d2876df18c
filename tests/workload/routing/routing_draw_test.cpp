#include "sim/workload/routing/routing_draw.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "sim/workload/routing/expected_drops.hpp"

namespace switchyard {
namespace {

RoutingSpec lognormal(int top_k, double sigma) {
  return {.router = FixedRouter{LognormalPopularity{sigma}}, .gate = {.top_k = top_k}, .slots = {}};
}

RoutingDraw drawn(const RoutingSpec& spec, const RoutingShape& shape, std::uint64_t seed = 1) {
  return draw_routing(spec, shape, {.seed = seed}).front();
}

constexpr RoutingShape kShape{
    .num_ranks = 4, .groups_per_rank = 2, .group_tokens = 256, .num_experts = 16, .capacity = 20};

TEST(DrawRouting, RoutesEveryTokenOfEveryRank) {
  for (const int top_k : {1, 2, 3}) {
    const RoutingDraw draw = drawn(lognormal(top_k, 0.5), kShape);
    ASSERT_EQ(draw.routed.rows(), 4);
    ASSERT_EQ(draw.routed.cols(), 16);
    for (int rank = 0; rank < 4; ++rank)
      EXPECT_EQ(draw.routed.row(rank).sum(), 2 * 256 * top_k) << rank;
  }
}

TEST(DrawRouting, KeepsAtMostTheSlotsAndNothingThatWasNotRouted) {
  const RoutingDraw draw = drawn(lognormal(2, 1.0), kShape);
  EXPECT_LE(draw.kept.maxCoeff(), 2 * 20);  // groups * capacity
  EXPECT_TRUE((draw.kept <= draw.routed).all());
  EXPECT_GE(draw.kept.minCoeff(), 0);
}

TEST(DrawRouting, KeepsAllWhenEveryTokenFitsIntoOneExpert) {
  RoutingShape shape = kShape;
  shape.capacity = shape.group_tokens;
  const RoutingDraw draw = drawn(lognormal(2, 2.0), shape);
  EXPECT_TRUE((draw.kept == draw.routed).all());
  EXPECT_EQ(dropped_fraction(draw), 0.0);
}

TEST(DrawRouting, AppliesTheCapacityToEachGroupByItself) {
  // One token a group and no slot to spare: a rank keeps all, though an expert gets several.
  RoutingShape shape = kShape;
  shape.groups_per_rank = 64;
  shape.group_tokens = 1;
  shape.capacity = 1;
  EXPECT_EQ(dropped_fraction(drawn(lognormal(1, 0.0), shape)), 0.0);
}

TEST(DrawRouting, SendsATokenToDistinctExperts) {
  // With as many choices as experts each expert gets every token exactly once.
  RoutingShape shape = kShape;
  shape.num_experts = 3;
  const RoutingDraw all = drawn(lognormal(3, 1.0), shape);
  EXPECT_TRUE((all.routed == 2 * 256).all());
  // With two of three each expert gets a token at most once.
  EXPECT_LE(drawn(lognormal(2, 3.0), shape).routed.maxCoeff(), 2 * 256);
}

TEST(DrawRouting, IsDeterministicGivenTheEngine) {
  const RoutingSpec spec = lognormal(2, 0.3);
  const RoutingDraw first = drawn(spec, kShape, 7);
  const RoutingDraw again = drawn(spec, kShape, 7);
  const RoutingDraw other = drawn(spec, kShape, 8);
  EXPECT_TRUE((first.routed == again.routed).all());
  EXPECT_TRUE((first.kept == again.kept).all());
  EXPECT_FALSE((first.routed == other.routed).all());
}

TEST(DrawRoutingDeathTest, RejectsMoreChoicesThanExperts) {
  EXPECT_DEATH((void)drawn(lognormal(17, 0.0), kShape), "top_k 17 of 16 experts");
}

struct UniformCase {
  int num_experts = 0;
  std::int64_t group_tokens = 0;
  std::int64_t capacity = 0;
};

class UniformRouter : public ::testing::TestWithParam<UniformCase> {};

TEST_P(UniformRouter, DropsTheExpectedFraction) {
  const auto& [num_experts, group_tokens, capacity] = GetParam();
  const RoutingShape shape{.num_ranks = 8,
                           .groups_per_rank = 16,
                           .group_tokens = group_tokens,
                           .num_experts = num_experts,
                           .capacity = capacity};
  // Another choice of one token changes the number dropped in its group by at most 1. So the
  // variance of that number is at most S / 4 (bounded differences), and over N = 128 S tokens
  // the standard error of the fraction is at most 1 / (2 sqrt(N)).
  const double standard_error = 0.5 / std::sqrt(128.0 * static_cast<double>(group_tokens));
  EXPECT_NEAR(dropped_fraction(drawn(lognormal(1, 0.0), shape)),
              expected_dropped_fraction(group_tokens, num_experts, 1, capacity),
              3.0 * standard_error);
}

// Mean load S / E: 8, 8, 8, 3.56 and 128 tokens, with capacity factors 1, 1.25, 2, 1.12 and 1.
INSTANTIATE_TEST_SUITE_P(ExpertsAndFactors, UniformRouter,
                         ::testing::Values(UniformCase{128, 1024, 8}, UniformCase{128, 1024, 10},
                                           UniformCase{128, 1024, 16}, UniformCase{128, 456, 4},
                                           UniformCase{8, 1024, 128}));

TEST(ExpertImbalance, IsOneWhenAllExpertsAreChosenByAll) {
  RoutingShape shape = kShape;
  shape.num_experts = 3;
  EXPECT_EQ(expert_imbalance(drawn(lognormal(3, 0.0), shape)), 1.0);
}

TEST(ExpertImbalance, GrowsWithTheSpreadOfPopularity) {
  // The largest of 32 normals is about 2.07 in the mean, so the busiest expert stands at about
  // exp(2.07 sigma - sigma^2 / 2) of the mean: 1.0, 1.8 and 4.8 for sigma 0, 0.3 and 1. Over 20
  // draws the means keep apart by far more than their spread; sigma 0 is 1 + 2.07 / sqrt(1024) by
  // chance.
  const RoutingShape shape{.num_ranks = 4,
                           .groups_per_rank = 8,
                           .group_tokens = 1024,
                           .num_experts = 32,
                           .capacity = 32};
  const auto mean_imbalance = [&](double sigma) {
    double sum = 0.0;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      sum += expert_imbalance(drawn(lognormal(1, sigma), shape, seed));
    return sum / 20.0;
  };
  const double uniform = mean_imbalance(0.0);
  const double mild = mean_imbalance(0.3);
  const double strong = mean_imbalance(1.0);
  EXPECT_GT(uniform, 1.0);
  EXPECT_LT(uniform, 1.2);
  EXPECT_GT(mild, 1.4);
  EXPECT_LT(mild, 2.3);
  EXPECT_GT(strong, 3.0);
}

TEST(DroppedFraction, CountsChoicesThatFoundNoSlot) {
  // Two experts, both chosen by all 10 tokens, 6 slots each: 8 of 20 choices are dropped.
  const RoutingShape shape{
      .num_ranks = 1, .groups_per_rank = 1, .group_tokens = 10, .num_experts = 2, .capacity = 6};
  const RoutingDraw draw = drawn(lognormal(2, 0.0), shape);
  EXPECT_DOUBLE_EQ(dropped_fraction(draw), 0.4);
  EXPECT_DOUBLE_EQ(padding_fraction(draw, shape), 0.0);
}

TEST(PaddingFraction, CountsEmptySlots) {
  // The same with 20 slots each: 20 of 40 stay empty.
  const RoutingShape shape{
      .num_ranks = 1, .groups_per_rank = 1, .group_tokens = 10, .num_experts = 2, .capacity = 20};
  const RoutingDraw draw = drawn(lognormal(2, 0.0), shape);
  EXPECT_DOUBLE_EQ(dropped_fraction(draw), 0.0);
  EXPECT_DOUBLE_EQ(padding_fraction(draw, shape), 0.5);
}

}  // namespace
}  // namespace switchyard
