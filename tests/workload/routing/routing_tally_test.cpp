#include "sim/workload/routing/routing_tally.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

using ::testing::ElementsAre;

constexpr std::int32_t kNone = kNoExpert;

std::vector<std::int64_t> row(const TokenCounts& counts, Eigen::Index rank) {
  const auto values = counts.row(rank).eval();
  return {values.begin(), values.end()};
}

/// Experts 0 and 1 on rank 0, 2 on rank 1, 3 on rank 2, 4 on rank 3; two ranks a node.
const Destinations kDestinations{
    .placement = {.num_ranks = 4,
                  .ranks_of = {{RankId{0}}, {RankId{0}}, {RankId{1}}, {RankId{2}}, {RankId{3}}}},
    .ranks_per_node = 2};
constexpr RoutingShape kShape{
    .num_ranks = 4, .groups_per_rank = 1, .group_tokens = 5, .num_experts = 5, .capacity = 10};

TEST(RoutingTally, CountsATokenOncePerRankAndNode) {
  // Of rank 1: two experts of rank 0; ranks 0 and 1 of one node; a second choice dropped; two
  // nodes; both choices dropped.
  const TokenChoices choices{
      .num_choices = 2, .experts = {0, 1, 0, 2, 3, 0, 1, 3, 4, 0}, .gates = {}};
  const std::vector<std::int32_t> receivers{0, 1, 0, 2, 3, kNone, 1, 3, kNone, kNone};
  const ReplicaTable replicas{kDestinations, kShape};
  RoutingTally tally{kShape, 2, &replicas};
  tally.add(choices, 0, 5, receivers, &replicas);
  tally.end_rank(1, &replicas);
  const RoutingDraw draw = tally.take();
  EXPECT_THAT(row(draw.routed, 1), ElementsAre(4, 2, 1, 2, 1));
  EXPECT_THAT(row(draw.kept, 1), ElementsAre(2, 2, 1, 2, 0));
  EXPECT_THAT(row(draw.choices_to_rank, 1), ElementsAre(4, 1, 2, 0));
  EXPECT_THAT(row(draw.tokens_to_rank, 1), ElementsAre(3, 1, 2, 0));  // token 0 once
  EXPECT_THAT(row(draw.tokens_to_node, 1), ElementsAre(3, 2));        // token 1 once
  EXPECT_THAT(draw.dropped_by_choice, ElementsAre(1, 2));
  EXPECT_EQ(draw.tokens_without_expert, 1);
  EXPECT_EQ(draw.rerouted, 0);
  EXPECT_EQ(draw.routed.sum(), 10);  // nothing of the other ranks
}

TEST(RoutingTally, CountsReroutedChoicesWhereTheyWent) {
  // Of one choice each: kept, rerouted from expert 0 to 2, dropped, not made.
  const TokenChoices choices{.num_choices = 1, .experts = {0, 0, 0, kNone}, .gates = {}};
  const std::vector<std::int32_t> receivers{0, 2, kNone, kNone};
  RoutingTally tally{kShape, 1, nullptr};
  tally.add(choices, 0, 4, receivers, nullptr);
  tally.end_rank(0, nullptr);
  const RoutingDraw draw = tally.take();
  EXPECT_THAT(row(draw.routed, 0), ElementsAre(3, 0, 0, 0, 0));
  EXPECT_THAT(row(draw.kept, 0), ElementsAre(1, 0, 1, 0, 0));
  EXPECT_THAT(draw.dropped_by_choice, ElementsAre(1));
  EXPECT_EQ(draw.rerouted, 1);
  EXPECT_EQ(draw.tokens_without_expert, 2);
}

TEST(RoutingTally, KeepsRanksApart) {
  const TokenChoices choices{.num_choices = 1, .experts = {0, 1, 2}, .gates = {}};
  RoutingTally tally{kShape, 1, nullptr};
  tally.add(choices, 0, 2, choices.experts, nullptr);
  tally.end_rank(0, nullptr);
  tally.add(choices, 2, 1, choices.experts, nullptr);
  tally.end_rank(3, nullptr);
  const RoutingDraw draw = tally.take();
  EXPECT_THAT(row(draw.kept, 0), ElementsAre(1, 1, 0, 0, 0));
  EXPECT_THAT(row(draw.kept, 3), ElementsAre(0, 0, 1, 0, 0));
}

TEST(RoutingTally, CountsTokensThatExpertsChose) {
  // Token 0: experts 0 and 1 (both rank 0), token 1: none, token 2: experts 2 and 3.
  const ExpertChoice choice{.first = {0, 2, 2, 4}, .experts = {0, 1, 2, 3}};
  const ReplicaTable replicas{kDestinations, kShape};
  RoutingTally tally{kShape, 1, &replicas};
  tally.add(choice, 0, 3, &replicas);
  tally.end_rank(0, &replicas);
  const RoutingDraw draw = tally.take();
  EXPECT_THAT(row(draw.kept, 0), ElementsAre(1, 1, 1, 1, 0));
  EXPECT_TRUE((draw.kept == draw.routed).all());
  EXPECT_THAT(row(draw.choices_to_rank, 0), ElementsAre(2, 1, 1, 0));
  EXPECT_THAT(row(draw.tokens_to_rank, 0), ElementsAre(1, 1, 1, 0));
  EXPECT_THAT(row(draw.tokens_to_node, 0), ElementsAre(2, 1));
  EXPECT_EQ(draw.tokens_without_expert, 1);
}

TEST(ReplicaTable, SendsToTheReplicaForTheSource) {
  // Expert 0 on ranks 0 and 2, expert 1 on rank 1. From rank 2: itself; from rank 3: 3 mod 2.
  const Destinations destinations{
      .placement = {.num_ranks = 4, .ranks_of = {{RankId{0}, RankId{2}}, {RankId{1}}}},
      .ranks_per_node = 2};
  RoutingShape shape = kShape;
  shape.num_experts = 2;
  ReplicaTable replicas{destinations, shape};
  for (const auto& [source, rank] : {std::pair{0, 0U}, {1, 2U}, {2, 2U}, {3, 2U}}) {
    replicas.look_from(source);
    EXPECT_EQ(replicas.rank_of(0), rank) << source;
    EXPECT_EQ(replicas.rank_of(1), 1u);
  }
  EXPECT_EQ(replicas.node_of(1), 0u);
  EXPECT_EQ(replicas.node_of(2), 1u);
  EXPECT_EQ(replicas.num_nodes(), 2u);
}

TEST(ReplicaTableDeathTest, RejectsAPlacementOfOtherRanks) {
  RoutingShape shape = kShape;
  shape.num_ranks = 8;
  EXPECT_DEATH((ReplicaTable{kDestinations, shape}),
               "placement of 5 experts on 4 ranks, for 5 on 8");
}

}  // namespace
}  // namespace switchyard
