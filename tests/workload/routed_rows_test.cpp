#include "sim/workload/routed_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workload/routed_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;
using ::testing::ElementsAre;

TokenCounts counts(std::initializer_list<std::initializer_list<std::int64_t>> rows) {
  TokenCounts matrix(static_cast<Eigen::Index>(rows.size()),
                     static_cast<Eigen::Index>(rows.begin()->size()));
  Eigen::Index r = 0;
  for (const auto& row : rows) {
    Eigen::Index c = 0;
    for (const std::int64_t value : row) matrix(r, c++) = value;
    ++r;
  }
  return matrix;
}

// Two ranks with experts {0, 1} and {2, 3}.
TEST(LayerRows, SendsChoicesToTheRankOfTheirExpert) {
  const LayerRows rows = layer_rows(draw_that_keeps(counts({{1, 2, 3, 4}, {10, 20, 30, 40}})),
                                    contiguous_placement(4, 2));
  EXPECT_TRUE((rows.between_ranks == counts({{1 + 2, 3 + 4}, {10 + 20, 30 + 40}})).all());
  ASSERT_EQ(rows.of_experts.size(), 2U);
  EXPECT_THAT(rows.of_experts[0], ElementsAre(1 + 10, 2 + 20));
  EXPECT_THAT(rows.of_experts[1], ElementsAre(3 + 30, 4 + 40));
  EXPECT_THAT(sent_rows(rows), ElementsAre(10, 100));
  EXPECT_THAT(received_rows(rows), ElementsAre(33, 77));
  EXPECT_DOUBLE_EQ(rank_imbalance(rows), 77 / 55.0);  // of 110 on two ranks
}

TEST(LayerRows, FollowsThePlacement) {
  const LayerRows rows = layer_rows(draw_that_keeps(counts({{1, 2, 3, 4}, {10, 20, 30, 40}})),
                                    round_robin_placement(4, 2));  // {0, 2} and {1, 3}
  EXPECT_TRUE((rows.between_ranks == counts({{1 + 3, 2 + 4}, {10 + 30, 20 + 40}})).all());
}

// Expert 0 is on both ranks, expert 1 on the second: each source uses its own replica of expert 0.
TEST(LayerRows, SharesAnExpertAmongItsReplicas) {
  const ExpertPlacement placement{.num_ranks = 2,
                                  .ranks_of = {{RankId{0}, RankId{1}}, {RankId{1}}}};
  const LayerRows rows = layer_rows(draw_that_keeps(counts({{5, 7}, {50, 70}})), placement);
  EXPECT_TRUE((rows.between_ranks == counts({{5, 7}, {0, 50 + 70}})).all());
  EXPECT_THAT(rows.of_experts[0], ElementsAre(5));
  EXPECT_THAT(rows.of_experts[1], ElementsAre(50, 7 + 70));
}

TEST(LayerRows, KeepsWhatIsNotDropped) {
  RoutingDraw draw = draw_that_keeps(counts({{4, 4}, {4, 4}}));
  draw.routed = counts({{9, 9}, {9, 9}});
  EXPECT_EQ(layer_rows(draw, contiguous_placement(2, 2)).between_ranks.sum(), 16);
}

TEST(RankImbalance, IsOneWithoutRows) { EXPECT_EQ(rank_imbalance(even_rows(2, 2, 0)), 1.0); }

TEST(LayerRowsDeathTest, RejectsAPlacementOfOtherExperts) {
  EXPECT_DEATH((void)layer_rows(draw_that_keeps(counts({{1, 2}})), contiguous_placement(3, 1)),
               "a placement of 3 experts on 1 ranks for a draw of 2 on 1");
}

Operator routed_operator(RoutedDimension dimension) {
  return {.name = "x",
          .matmul = {4.0, 3, 5, 7, dimension},
          .traffic = {{{4.0, 3, 5, 2, true}}, {{4.0, 3, 5, 2, false}}},
          .saved = {{4.0, 3, 9, 2, true}},
          .routed = {.rows = RoutedRows::kOfEachExpert, .moe_layer = 0}};
}

TEST(SetRows, ChangesRoutedDimensionsOnly) {
  Operator op = routed_operator(RoutedDimension::kRows);
  set_rows(op, 11);
  EXPECT_EQ(op.matmul.rows, 11);
  EXPECT_EQ(op.matmul.contraction, 5);
  EXPECT_EQ(op.traffic[0].tensor.rows, 11);
  EXPECT_EQ(op.traffic[1].tensor.rows, 3);
  EXPECT_EQ(op.saved[0].rows, 11);

  op = routed_operator(RoutedDimension::kContraction);
  set_rows(op, 11);
  EXPECT_EQ(op.matmul.rows, 3);
  EXPECT_EQ(op.matmul.contraction, 11);
}

TEST(OneExpert, TakesTheBatchOutOfEverything) {
  const Operator op = routed_operator(RoutedDimension::kRows);
  const Operator one = one_expert(op);
  EXPECT_EQ(4.0 * matmul_flop(one.matmul), matmul_flop(op.matmul));
  EXPECT_EQ(one.traffic[1].tensor.outer, 1.0);
  EXPECT_EQ(one.saved[0].outer, 1.0);
}

}  // namespace
}  // namespace switchyard
