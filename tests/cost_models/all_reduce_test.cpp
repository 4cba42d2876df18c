#include "cost_models/all_reduce.hpp"

#include <gtest/gtest.h>

#include "cost_models/collective_time.hpp"
#include "cost_models/collectives.hpp"
#include "cost_models/double_binary_tree.hpp"
#include "sim/core/error.hpp"
#include "tests/cost_models/data_flow.hpp"
#include "tests/cost_models/networks.hpp"

namespace switchyard {
namespace {

using namespace literals;
using enum CollectiveAlgorithm;

/// A path is two ports: alpha = 1 us, B = 100 GB/s.
constexpr LinkSpec kPort{.bandwidth = 100_GBps, .latency = 0.5_us};

CollectiveRequest all_reduce(CollectiveAlgorithm algorithm, Bytes size) {
  return {.kind = CollectiveKind::kAllReduce, .algorithm = algorithm, .size = size};
}

double time_s(const CollectiveRequest& request, const Topology& topology) {
  return schedule_time(build_collective(request, topology), topology).base();
}

TEST(RingAllReduce, IsTheFormulaForAnyNumberOfRanks) {
  // 2 (n - 1) (1 us + 120 MB / (n 100 GB/s)): n = 2: 2 * 601 us; 3: 4 * 401; 4: 6 * 301;
  // 5: 8 * 241; 8: 14 * 151; 1: nothing.
  const std::vector<std::pair<int, double>> expected{{1, 0.0},     {2, 1202e-6}, {3, 1604e-6},
                                                     {4, 1806e-6}, {5, 1928e-6}, {8, 2114e-6}};
  for (const auto& [ranks, time] : expected) {
    const Topology star = star_of(ranks, kPort);
    EXPECT_NEAR(time_s(all_reduce(kRing, 120_MB), star), time, 1e-12) << ranks;
    EXPECT_NEAR(closed_form_time(all_reduce(kRing, 120_MB), star).base(), time, 1e-12) << ranks;
  }
}

TEST(RingAllReduce, IsOneRoundHoweverManyRanks) {
  const auto schedule = build_collective(all_reduce(kRing, 1_MB), star_of(64, kPort));
  ASSERT_EQ(schedule.rounds.size(), 1u);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 64u);
  EXPECT_EQ(schedule.rounds[0].repeat, 126);
}

TEST(RecursiveAllReduce, IsTheFormulaForAnyNumberOfRanks) {
  // 2 log2(p) us + 2 (p - 1)/p * 1.2 ms, p the power of two below; + 2 (1 us + 1.2 ms) to fold.
  const std::vector<std::pair<int, double>> expected{
      {2, 2e-6 + 1.2e-3},            // p = 2
      {3, 2e-6 + 1.2e-3 + 2402e-6},  // 2
      {4, 4e-6 + 1.8e-3},           {5, 4e-6 + 1.8e-3 + 2402e-6},
      {7, 4e-6 + 1.8e-3 + 2402e-6}, {8, 6e-6 + 2.1e-3}};
  for (const auto& [ranks, time] : expected) {
    const Topology star = star_of(ranks, kPort);
    EXPECT_NEAR(time_s(all_reduce(kRecursive, 120_MB), star), time, 1e-12) << ranks;
    EXPECT_NEAR(closed_form_time(all_reduce(kRecursive, 120_MB), star).base(), time, 1e-12);
  }
}

TEST(TwoLevelAllReduce, AddsNodesAndNetwork) {
  const Topology topology = nodes_of({.num_nodes = 3,
                                      .ranks_per_node = 4,
                                      .up = {.bandwidth = 100_GBps, .latency = 0.5_us},
                                      .out = {.bandwidth = 50_GBps, .latency = 2_us}});
  // Nodes: 2 * 3 * (1 us + 120 MB / 4 / 100 GB/s) = 6 * 301 us = 1806 us. Between them: 2 * 2 *
  // (4 us + 10 MB / 50 GB/s) = 4 * 204 us = 816 us.
  EXPECT_NEAR(time_s(all_reduce(kTwoLevel, 120_MB), topology), 2622e-6, 1e-12);
  EXPECT_NEAR(closed_form_time(all_reduce(kTwoLevel, 120_MB), topology).base(), 2622e-6, 1e-12);
}

TEST(TwoLevelAllReduce, NeedsAsManyRanksInEveryNode) {
  CollectiveRequest request = all_reduce(kTwoLevel, 1_MB);
  request.groups = {{RankId{0}, RankId{1}, RankId{4}}};
  EXPECT_THROW(
      (void)build_collective(
          request, nodes_of({.num_nodes = 2, .ranks_per_node = 4, .up = kPort, .out = kPort})),
      ConfigError);
}

TEST(RingAllReduce, UsesThePortsOfAllRanksBetweenNodes) {
  const Topology topology = nodes_of({.num_nodes = 2,
                                      .ranks_per_node = 4,
                                      .up = {.bandwidth = 400_GBps, .latency = 0.5_us},
                                      .out = {.bandwidth = 50_GBps, .latency = 2_us}});
  // 14 steps of S / 8 = 10 MB: each rank sends 1/4 of them to the other node, 2.5 MB / 50 GB/s =
  // 50 us, and 3/4 within its own, 7.5 MB / 400 GB/s = 18.75 us. 14 * (4 us + 50 us).
  EXPECT_NEAR(time_s(all_reduce(kRing, 80_MB), topology), 756e-6, 1e-12);
  EXPECT_NEAR(closed_form_time(all_reduce(kRing, 80_MB), topology).base(), 756e-6, 1e-12);
  // Rails are kept with an even number of nodes: 4 + 4 messages within, 4 + 4 between.
  const auto schedule = build_collective(all_reduce(kRing, 80_MB), topology);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 16u);
  for (const Flow& flow : schedule.rounds[0].flows) {
    if (flow.source.value() / 4 == flow.destination.value() / 4) continue;
    EXPECT_EQ(flow.source.value() % 4, flow.destination.value() % 4);
  }
}

TEST(DoubleBinaryTree, HasNoRankWithMoreThanFourEdges) {
  for (int n = 2; n <= 33; ++n) {
    std::vector<int> edges(static_cast<std::size_t>(n));
    std::vector<int> leaf_in(static_cast<std::size_t>(n));
    for (const int tree : {0, 1}) {
      std::vector<int> children(static_cast<std::size_t>(n));
      const std::vector<int> parents = tree_parents(n, tree);
      EXPECT_EQ(std::ranges::count(parents, -1), 1);
      for (const int parent : parents)
        if (parent >= 0) ++children[static_cast<std::size_t>(parent)];
      for (std::size_t k = 0; k < children.size(); ++k) {
        edges[k] += children[k] + (parents[k] >= 0 ? 1 : 0);
        leaf_in[k] += children[k] == 0 ? 1 : 0;
      }
    }
    EXPECT_LE(std::ranges::max(edges), 4) << n;
    for (std::size_t k = 0; k < leaf_in.size(); ++k) EXPECT_TRUE(leaf_in[k] > 0 || k == 0) << n;
  }
}

TEST(DoubleBinaryTree, SendsTwoBuffersPerRankAtMost) {
  for (const int n : {2, 3, 4, 5, 8, 13}) {
    const auto schedule = build_collective(all_reduce(kDoubleBinaryTree, 64_MB), star_of(n, kPort));
    // Each of two trees has n - 1 edges, S / 2 up and down each: 2 (n - 1) S in all.
    EXPECT_NEAR(total_bytes(schedule, n).base(), 2.0 * (n - 1) * 64e6, 1.0);
    for (const Bytes sent : rank_bytes(schedule, n).sent) EXPECT_LE(sent.base(), 2 * 64e6 + 1);
  }
}

TEST(DoubleBinaryTree, TakesOneEdgeAfterTheOtherWithOneChunk) {
  // Four ranks, tree 0: 1 -> 2 <- 3, 2 -> 0; tree 1 mirrored: 2 -> 1 <- 0, 1 -> 3. Depth 2, one
  // chunk of 0.1 MB in each. Up: both children at once (2 chunks into a port), then 1 chunk; down
  // the same backwards: 4 us + (2 + 1 + 1 + 2) * 1 us.
  EXPECT_NEAR(time_s(all_reduce(kDoubleBinaryTree, 0.2_MB), star_of(4, kPort)), 10e-6, 1e-12);
}

TEST(DoubleBinaryTree, ApproachesItsFormulaFromBelow) {
  for (const int n : {2, 3, 5, 8, 16, 31}) {
    const Topology star = star_of(n, kPort);
    const CollectiveRequest request = all_reduce(kDoubleBinaryTree, 256_MB);
    const auto group = resolved_groups(request, star)[0];
    const TreePipeline tree = tree_pipeline(group, star, request.size, request.chunk);
    const double formula = closed_form_time(request, star).base();
    const double time = time_s(request, star);
    EXPECT_LE(time, formula * (1 + 1e-12)) << n;
    const double unfilled = 2.0 * (2 * tree.depth - 1);
    EXPECT_GE(time, formula / (1 + unfilled / (tree.num_chunks - 2 * tree.depth + 1))) << n;
  }
}

TEST(InSwitchAllReduce, SendsABufferUpAndOneDown) {
  const Topology star = star_of(8, kPort, true);
  // 1 us up, 1 us down, 120 MB / 100 GB/s
  EXPECT_NEAR(time_s(all_reduce(kInSwitch, 120_MB), star), 1202e-6, 1e-12);
  EXPECT_NEAR(closed_form_time(all_reduce(kInSwitch, 120_MB), star).base(), 1202e-6, 1e-12);
  EXPECT_NEAR(lower_bound(all_reduce(kInSwitch, 120_MB), star).base(), 1200e-6, 1e-12);
}

TEST(InSwitchAllReduce, NeedsASwitchThatAddsUp) {
  EXPECT_THROW((void)build_collective(all_reduce(kInSwitch, 1_MB), star_of(8, kPort)), ConfigError);
  EXPECT_THROW(
      (void)build_collective(all_reduce(kInSwitch, 1_MB), nodes_of({.num_nodes = 2,
                                                                    .ranks_per_node = 2,
                                                                    .up = kPort,
                                                                    .out = kPort,
                                                                    .in_switch_reduction = true})),
      ConfigError);
}

class AllReduceOnStars : public ::testing::TestWithParam<std::tuple<CollectiveAlgorithm, int>> {};

TEST_P(AllReduceOnStars, BringsEveryContributionToEveryRank) {
  const auto [algorithm, ranks] = GetParam();
  const Topology star = star_of(ranks, kPort);
  const auto schedule = build_collective(all_reduce(algorithm, 0.1_MB), star);
  for (const auto& row : reach(schedule, ranks)) EXPECT_EQ(std::ranges::count(row, true), ranks);
  const RankBytes bytes = rank_bytes(schedule, ranks);
  double sent = 0;
  double received = 0;
  for (std::size_t r = 0; r < bytes.sent.size(); ++r) {
    sent += bytes.sent[r].base();
    received += bytes.received[r].base();
    // Its contribution leaves and the result arrives, but for what it adds up itself.
    if (ranks > 1) {
      EXPECT_GE(bytes.received[r].base(), 0.1e6 - 1e-6);
      EXPECT_GE(bytes.sent[r].base(), 0.1e6 - 1e-6);
    }
  }
  // Patarasuk and Yuan: 2 (n - 1) S and no less; all of these send just that.
  EXPECT_NEAR(sent, 2.0 * (ranks - 1) * 0.1e6, 1e-3);
  EXPECT_NEAR(received, sent, 1e-3);
}

TEST_P(AllReduceOnStars, IsNeverBelowTheBoundAndGrowsWithBytes) {
  const auto [algorithm, ranks] = GetParam();
  const Topology star = star_of(ranks, kPort);
  double previous = 0;
  for (double size = 1e3; size < 1e9; size *= 7.3) {
    const CollectiveRequest request = all_reduce(algorithm, Bytes{size});
    const double time = closed_form_time(request, star).base();
    EXPECT_GE(time, previous);
    EXPECT_GE(time_s(request, star) * (1 + 1e-12), lower_bound(request, star).base());
    previous = time;
  }
}

INSTANTIATE_TEST_SUITE_P(AllReduce, AllReduceOnStars,
                         ::testing::Combine(::testing::Values(kRing, kRecursive, kDoubleBinaryTree,
                                                              kTwoLevel),
                                            ::testing::Values(1, 2, 3, 4, 5, 8, 12)));

TEST(AllReduceGroups, RunAtOnceAndEndWithTheSlowest) {
  const Topology star = star_of(7, kPort);
  CollectiveRequest request = all_reduce(kRing, 120_MB);
  request.groups = {{RankId{0}, RankId{2}}, {RankId{1}, RankId{3}, RankId{6}}};
  // 2 ranks: 2 rounds of 601 us; 3 ranks: 4 rounds of 401 us; nothing shared. Rounds of both: 2
  // with the larger messages (601), then 2 of the second group alone (401).
  EXPECT_NEAR(time_s(request, star), 2004e-6, 1e-12);
  EXPECT_NEAR(closed_form_time(request, star).base(), 1604e-6, 1e-12);
  const auto schedule = build_collective(request, star);
  ASSERT_EQ(schedule.rounds.size(), 2u);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 5u);
  EXPECT_EQ(schedule.rounds[0].repeat, 2);
  EXPECT_EQ(schedule.rounds[1].flows.size(), 3u);
  const auto knows = reach(schedule, 7);
  EXPECT_TRUE(knows[0][2] && knows[2][0] && knows[1][6] && knows[6][1]);
  EXPECT_FALSE(knows[0][1] || knows[4][0] || knows[5][1]);
}

}  // namespace
}  // namespace switchyard
