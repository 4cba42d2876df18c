#include "sim/workload/routing/capacity.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

std::int64_t capacity(std::int64_t group_tokens, int num_experts, double capacity_factor) {
  return expert_capacity(group_tokens,
                         {.capacity_factor = capacity_factor, .num_experts = num_experts});
}

TEST(ExpertCapacity, IsTheExpectedLoadTimesTheFactor) {
  // 1024 tokens / 128 experts = 8 tokens each in the mean.
  EXPECT_EQ(capacity(1024, 128, 1.0), 8);
  EXPECT_EQ(capacity(1024, 128, 1.25), 10);
  EXPECT_EQ(capacity(1024, 128, 2.0), 16);
}

TEST(ExpertCapacity, RoundsDown) {
  EXPECT_EQ(capacity(456, 128, 2.0), 7);    // 7.125
  EXPECT_EQ(capacity(1024, 100, 1.0), 10);  // 10.24
}

TEST(ExpertCapacity, IsAtLeastFour) {
  EXPECT_EQ(capacity(1024, 2048, 1.0), 4);  // 0.5
  EXPECT_EQ(capacity(1024, 2048, 2.0), 4);  // 1
  EXPECT_EQ(capacity(456, 128, 1.0), 4);    // 3.5625
  EXPECT_EQ(capacity(2, 128, 1.0), 4);      // even in a group of 2
}

TEST(ExpertCapacity, HasASettableMinimum) {
  EXPECT_EQ(expert_capacity(1024, {.capacity_factor = 2.0, .num_experts = 2048, .minimum = 2}), 2);
}

TEST(ExpertCapacity, IsAtMostTheGroup) {
  EXPECT_EQ(capacity(100, 1, 2.0), 100);
  EXPECT_EQ(capacity(100, 2, 8.0), 100);  // 400
}

TEST(ExpertCapacity, CountsChoicesOnlyWhenAskedTo) {
  CapacitySpec spec{.capacity_factor = 1.25, .num_experts = 128, .top_k = 2};
  EXPECT_EQ(expert_capacity(1024, spec), 10);
  spec.times_top_k = true;
  EXPECT_EQ(expert_capacity(1024, spec), 20);  // 1024 * 2 * 1.25 / 128
}

TEST(ExpertCapacityDeathTest, RejectsAFactorOfZero) {
  EXPECT_DEATH((void)capacity(1024, 128, 0.0), "capacity factor 0");
}

void expect_groups(const TokenGroups& groups, std::int64_t num_groups, std::int64_t group_tokens) {
  EXPECT_EQ(groups.num_groups, num_groups);
  EXPECT_EQ(groups.group_tokens, group_tokens);
}

TEST(SplitIntoGroups, FillsGroupsThatDivideEvenly) {
  expect_groups(split_into_groups(32 * 2048, 1024, 32), 64, 1024);
  expect_groups(split_into_groups(4096, 1024, 1), 4, 1024);
}

TEST(SplitIntoGroups, GivesEachRankWholeGroups) {
  // 14592 / 1024 = 14 groups would do, but 32 ranks need 32.
  expect_groups(split_into_groups(32 * 456, 1024, 32), 32, 456);
  // 81920 / 1024 = 80; 96 is a multiple of 32 but does not divide 81920; 128 does.
  expect_groups(split_into_groups(32 * 2560, 1024, 32), 128, 640);
}

TEST(SplitIntoGroups, NeedsGroupsOfOneSize) {
  // 1000 / 300 = 3 groups; 3 does not divide 1000, 4 does.
  expect_groups(split_into_groups(1000, 300, 1), 4, 250);
}

TEST(SplitIntoGroups, MayExceedTheMaximumAsTheReferenceDoes) {
  // 1500 / 1024 rounds down to one group.
  expect_groups(split_into_groups(1500, 1024, 1), 1, 1500);
}

TEST(SplitIntoGroups, CoversAllTokensOnAllRanks) {
  for (const std::int64_t tokens_per_rank : {1, 7, 114, 456, 512, 2048, 3000})
    for (const std::int64_t ranks : {1, 3, 32, 2048}) {
      const std::int64_t tokens = tokens_per_rank * ranks;
      const TokenGroups groups = split_into_groups(tokens, 1024, ranks);
      EXPECT_EQ(groups.num_groups * groups.group_tokens, tokens);
      EXPECT_EQ(groups.num_groups % ranks, 0);
    }
}

TEST(SplitIntoGroupsDeathTest, RejectsTokensThatRanksDoNotShareEvenly) {
  EXPECT_DEATH((void)split_into_groups(100, 10, 3), "100 tokens on 3 ranks");
}

}  // namespace
}  // namespace switchyard
