#include "sim/workload/routing/routing_draw.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

using ::testing::ElementsAre;

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

/// One layer of one expert, so that nothing is left to chance.
constexpr RoutingShape kOneExpert{
    .num_ranks = 3, .groups_per_rank = 2, .group_tokens = 4, .num_experts = 1, .capacity = 3};

TEST(DrawRouting, GivesTheFirstRankTheSlotsFirstWhenAllCompete) {
  // 3 ranks of 8 tokens, 13 slots in all: 8, 5 and none.
  RoutingSpec spec = lognormal(1, 0.0);
  spec.slots.scope = SlotScope::kGlobal;
  RoutingShape shape = kOneExpert;
  shape.capacity = 13;
  const RoutingDraw draw = drawn(spec, shape);
  EXPECT_EQ(draw.kept(0, 0), 8);
  EXPECT_EQ(draw.kept(1, 0), 5);
  EXPECT_EQ(draw.kept(2, 0), 0);
  EXPECT_TRUE((draw.routed == 8).all());
  EXPECT_EQ(draw.tokens_without_expert, 3 + 8);
  EXPECT_EQ(dropped_fraction(draw), 11.0 / 24.0);
  EXPECT_THAT(dropped_fraction_by_rank(draw), ElementsAre(0.0, 3.0 / 8.0, 1.0));
  EXPECT_EQ(padding_fraction(draw, shape, SlotScope::kGlobal), 0.0);
}

TEST(DrawRouting, GivesEveryGroupItsSlots) {
  // 2 groups of 4 tokens a rank, 3 slots each: 6 of 8.
  const RoutingDraw draw = drawn(lognormal(1, 0.0), kOneExpert);
  EXPECT_TRUE((draw.kept == 6).all());
  EXPECT_THAT(draw.dropped_by_choice, ElementsAre(6));
  EXPECT_EQ(draw.num_tokens, 24);
}

TEST(DrawRouting, DrawsTheSameChoicesInEitherScope) {
  RoutingSpec spec = lognormal(2, 0.5);
  RoutingShape shape = kShape;
  shape.groups_per_rank = 1;  // a rank's tokens are drawn block by block: the same blocks
  shape.num_layers = 3;
  const auto by_group = draw_routing(spec, shape, {.seed = 3});
  spec.slots.scope = SlotScope::kGlobal;
  const auto global = draw_routing(spec, shape, {.seed = 3});
  ASSERT_EQ(by_group.size(), 3u);
  for (std::size_t layer = 0; layer < 3; ++layer)
    EXPECT_TRUE((by_group[layer].routed == global[layer].routed).all()) << layer;
  EXPECT_FALSE((by_group[0].routed == by_group[1].routed).all());
}

TEST(DrawRouting, DropsSecondChoicesFirstWhenChoiceMajor) {
  // 256 tokens for 16 experts of 20 slots: the mean load is 16 by first choices and 32 by both.
  const RoutingDraw k_major = drawn(lognormal(2, 0.0), kShape);
  RoutingSpec spec = lognormal(2, 0.0);
  spec.slots.priority = SlotPriority::kTokenMajor;
  const RoutingDraw token_major = drawn(spec, kShape);
  // The same choices, as many dropped, others.
  EXPECT_TRUE((k_major.kept == token_major.kept).all());
  EXPECT_LT(k_major.dropped_by_choice[0], k_major.dropped_by_choice[1] / 4);
  EXPECT_GT(token_major.dropped_by_choice[0], token_major.dropped_by_choice[1] / 2);
  // So fewer tokens lose both.
  EXPECT_LT(k_major.tokens_without_expert, token_major.tokens_without_expert);
}

TEST(DrawRouting, DropsNoMoreWithNoTokenLeftBehind) {
  RoutingSpec spec = lognormal(1, 0.5);
  RoutingShape shape = kShape;
  shape.capacity = 16;  // capacity factor 1
  double previous = 1.0;
  for (const int attempts : {0, 1, 2, 4}) {
    spec.slots.reroute_attempts = attempts;
    const RoutingDraw draw = drawn(spec, shape);
    EXPECT_EQ(draw.rerouted > 0, attempts > 0);
    EXPECT_LT(dropped_fraction(draw), previous) << attempts;
    previous = dropped_fraction(draw);
  }
}

TEST(DrawRouting, FillsEveryExpertExactlyWhereExpertsChoose) {
  RoutingSpec spec = lognormal(2, 1.0);  // popularity does not matter
  spec.gate.expert_choice = true;
  const RoutingDraw draw = drawn(spec, kShape);
  EXPECT_TRUE((draw.kept == 2 * 20).all());  // groups * capacity
  EXPECT_TRUE((draw.routed == draw.kept).all());
  EXPECT_EQ(dropped_fraction(draw), 0.0);
  EXPECT_EQ(padding_fraction(draw, kShape), 0.0);
  EXPECT_EQ(expert_imbalance(draw), 1.0);
  // (1 - 20/256)^16 = 0.272 of 2048 tokens; standard error at most sqrt(0.272 * 0.728 * 2048) = 20.
  EXPECT_NEAR(static_cast<double>(draw.tokens_without_expert),
              std::pow(1.0 - 20.0 / 256.0, 16) * 2048, 60.0);
  spec.slots.scope = SlotScope::kGlobal;
  EXPECT_TRUE((drawn(spec, kShape).kept.colwise().sum() == 20).all());
}

/// What every kind of slots has in common.
struct SlotCase {
  SlotSpec slots;
  int top_k = 1;
  std::int64_t capacity = 0;
  bool expert_choice = false;
};

class AllSlots : public ::testing::TestWithParam<SlotCase> {};

TEST_P(AllSlots, LosesAndInventsNothing) {
  const SlotCase& slots = GetParam();
  RoutingSpec spec = lognormal(slots.top_k, 0.7);
  spec.slots = slots.slots;
  spec.gate.expert_choice = slots.expert_choice;
  RoutingShape shape = kShape;
  shape.capacity = slots.capacity;
  shape.num_layers = 2;
  const std::vector<double> loads(16, 1.0);
  for (const Destinations& to : {Destinations{contiguous_placement(16, 4), 2},
                                 Destinations{replicated_placement(loads, 4, 8), 2}})
    for (const RoutingDraw& draw : draw_routing(spec, shape, {.seed = 4}, {&to, 1})) {
      EXPECT_EQ(draw.num_tokens, 2048);
      std::int64_t dropped = 0;
      for (const std::int64_t count : draw.dropped_by_choice) dropped += count;
      EXPECT_EQ(draw.routed.sum(), draw.kept.sum() + dropped);
      if (!slots.expert_choice) {
        EXPECT_TRUE((draw.routed.rowwise().sum() == 2 * 256 * slots.top_k).all());
      }
      EXPECT_TRUE((draw.kept.rowwise().sum() <= draw.routed.rowwise().sum()).all());
      if (slots.slots.reroute_attempts == 0) {
        EXPECT_TRUE((draw.kept <= draw.routed).all());
        EXPECT_EQ(draw.rerouted, 0);
      }
      if (slots.slots.scope == SlotScope::kGlobal) {
        EXPECT_LE(draw.kept.colwise().sum().maxCoeff(), slots.capacity);
      } else if (slots.capacity < 256) {
        EXPECT_LE(draw.kept.maxCoeff(), 2 * slots.capacity);
      } else {
        EXPECT_EQ(dropped, 0);
      }
      // What is kept arrives somewhere; a token arrives at most once per rank, less often per node,
      // and at all unless it has no expert.
      EXPECT_TRUE((draw.choices_to_rank.rowwise().sum() == draw.kept.rowwise().sum()).all());
      EXPECT_TRUE((draw.tokens_to_rank <= draw.choices_to_rank).all());
      EXPECT_TRUE(
          (draw.tokens_to_node.rowwise().sum() <= draw.tokens_to_rank.rowwise().sum()).all());
      EXPECT_TRUE((draw.tokens_to_node <= 2 * 256).all());
      EXPECT_GE(draw.tokens_to_node.sum(), draw.num_tokens - draw.tokens_without_expert);
      if (slots.top_k == 1 && !slots.expert_choice) {
        EXPECT_TRUE((draw.tokens_to_rank == draw.choices_to_rank).all());
        EXPECT_EQ(draw.tokens_without_expert, dropped);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, AllSlots,
    ::testing::Values(
        SlotCase{{}, 1, 20}, SlotCase{{}, 3, 20}, SlotCase{{}, 3, kUnlimitedSlots},
        SlotCase{{.priority = SlotPriority::kTokenMajor}, 2, 30},
        SlotCase{{.priority = SlotPriority::kGate}, 2, 30},
        SlotCase{{.reroute_attempts = 3}, 1, 16}, SlotCase{{.reroute_attempts = 2}, 2, 24},
        SlotCase{{.reroute_attempts = 2}, 2, kUnlimitedSlots},
        SlotCase{{.priority = SlotPriority::kGate, .scope = SlotScope::kGlobal}, 2, 200},
        SlotCase{{.scope = SlotScope::kGlobal, .reroute_attempts = 2}, 1, 128},
        SlotCase{{.scope = SlotScope::kGlobal}, 2, kUnlimitedSlots}, SlotCase{{}, 2, 20, true},
        SlotCase{{.scope = SlotScope::kGlobal}, 2, 100, true}));

TEST(RankImbalance, ComparesTheBusiestRankWithTheMean) {
  // Two experts, both chosen by all; one on each of ranks 0 and 1 of 3: 3/2 of the mean.
  const RoutingShape shape{.num_ranks = 3,
                           .groups_per_rank = 1,
                           .group_tokens = 10,
                           .num_experts = 2,
                           .capacity = kUnlimitedSlots};
  const Destinations to{.placement = round_robin_placement(2, 3), .ranks_per_node = 3};
  const RoutingDraw draw = draw_routing(lognormal(2, 0.0), shape, {}, {&to, 1}).front();
  EXPECT_EQ(rank_imbalance(draw), 1.5);
  EXPECT_EQ(padding_fraction(draw, shape), 0.0);  // dropless
  // All on one node: each token once.
  EXPECT_EQ(draw.tokens_to_node.sum(), 30);
}

TEST(RankImbalanceDeathTest, NeedsDestinations) {
  EXPECT_DEATH((void)rank_imbalance(drawn(lognormal(1, 0.0), kShape)), "without destinations");
}

TEST(ExpertsTouched, CountsExpertsWithAToken) {
  EXPECT_EQ(experts_touched(drawn(lognormal(1, 0.0), kOneExpert)), 1);
  // One token, top-3 of 16: three experts.
  const RoutingShape one{.num_experts = 16, .capacity = 1};
  RoutingShape token = one;
  token.group_tokens = 1;
  EXPECT_EQ(experts_touched(drawn(lognormal(3, 0.0), token)), 3);
  token.capacity = 0;
  EXPECT_EQ(experts_touched(drawn(lognormal(3, 0.0), token)), 0);
}

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
