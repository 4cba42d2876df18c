#include "cost_models/gather_scatter.hpp"

#include <bit>

#include <gtest/gtest.h>

#include "cost_models/collective_time.hpp"
#include "cost_models/collectives.hpp"
#include "cost_models/schedule_parts.hpp"
#include "sim/core/error.hpp"
#include "tests/cost_models/data_flow.hpp"
#include "tests/cost_models/networks.hpp"

namespace switchyard {
namespace {

using namespace literals;
using enum CollectiveAlgorithm;

constexpr LinkSpec kPort{.bandwidth = 100_GBps, .latency = 0.5_us};  // alpha 1 us, B 100 GB/s

class GatherOnStars : public ::testing::TestWithParam<std::tuple<CollectiveAlgorithm, int>> {
 protected:
  static bool serves(CollectiveAlgorithm algorithm, int ranks) {
    return algorithm != kRecursive || std::has_single_bit(static_cast<unsigned>(ranks));
  }
};

TEST_P(GatherOnStars, GivesEveryRankEveryPart) {
  const auto [algorithm, ranks] = GetParam();
  if (!serves(algorithm, ranks)) GTEST_SKIP() << "no power of two";
  const Topology star = star_of(ranks, kPort);
  const Bytes size = ranks * 1_MB;
  const CollectiveRequest gather{
      .kind = CollectiveKind::kAllGather, .algorithm = algorithm, .size = size};
  const auto schedule = build_collective(gather, star);
  for (const int parts : gathered_parts(schedule, ranks, 1_MB)) EXPECT_EQ(parts, ranks);
  for (const Bytes received : rank_bytes(schedule, ranks).received)
    EXPECT_NEAR(received.base(), (ranks - 1) * 1e6, 1e-3);  // no part twice

  // A reduce-scatter is an all-gather backwards.
  CollectiveRequest scatter = gather;
  scatter.kind = CollectiveKind::kReduceScatter;
  if (algorithm == kBruck) return;
  const auto reduced = build_collective(scatter, star);
  const CollectiveSchedule turned{.algorithm = "turned", .rounds = mirrored(reduced.rounds)};
  for (const int parts : gathered_parts(turned, ranks, 1_MB)) EXPECT_EQ(parts, ranks);
}

TEST_P(GatherOnStars, IsItsFormula) {
  const auto [algorithm, ranks] = GetParam();
  if (!serves(algorithm, ranks)) GTEST_SKIP() << "no power of two";
  const Topology star = star_of(ranks, kPort);
  const CollectiveRequest request{
      .kind = CollectiveKind::kAllGather, .algorithm = algorithm, .size = ranks * 1_MB};
  // Rounds: n - 1, 1 or ceil(log2 n) of 1 us; every rank receives n - 1 parts of 10 us.
  const int logarithm = std::bit_width(static_cast<unsigned>(ranks - 1));
  const int rounds = ranks == 1                                       ? 0
                     : algorithm == kDirect                           ? 1
                     : algorithm == kBruck || algorithm == kRecursive ? logarithm
                                                                      : ranks - 1;
  const double expected = rounds * 1e-6 + (ranks - 1) * 10e-6;
  EXPECT_NEAR(schedule_time(build_collective(request, star), star).base(), expected, 1e-15);
  EXPECT_NEAR(closed_form_time(request, star).base(), expected, 1e-15);
  EXPECT_NEAR(lower_bound(request, star).base(), (ranks - 1) * 10e-6, 1e-15);
}

INSTANTIATE_TEST_SUITE_P(Gather, GatherOnStars,
                         ::testing::Combine(::testing::Values(kRing, kDirect, kBruck, kRecursive,
                                                              kTwoLevel),
                                            ::testing::Values(1, 2, 3, 4, 5, 8, 12)));

TEST(TwoLevelGather, GivesEveryRankEveryPartOfAllNodes) {
  const Topology topology = nodes_of({.num_nodes = 3,
                                      .ranks_per_node = 4,
                                      .up = kPort,
                                      .out = {.bandwidth = 50_GBps, .latency = 2_us}});
  const CollectiveRequest request{
      .kind = CollectiveKind::kAllGather, .algorithm = kTwoLevel, .size = 12_MB};
  const auto schedule = build_collective(request, topology);
  for (const int parts : gathered_parts(schedule, 12, 1_MB)) EXPECT_EQ(parts, 12);
  // 2 (4 us + 1 MB / 50 GB/s) + 3 (1 us + 3 MB / 100 GB/s) = 48 + 93 us
  EXPECT_NEAR(schedule_time(schedule, topology).base(), 141e-6, 1e-12);
  EXPECT_NEAR(closed_form_time(request, topology).base(), 141e-6, 1e-12);
}

TEST(RecursiveGather, NeedsAPowerOfTwo) {
  EXPECT_THROW((void)build_collective(
                   {.kind = CollectiveKind::kAllGather, .algorithm = kRecursive, .size = 1_MB},
                   star_of(6, kPort)),
               ConfigError);
}

TEST(PointToPoint, SendsFromTheFirstToTheLast) {
  const Topology star = star_of(4, kPort);
  const CollectiveRequest request{.kind = CollectiveKind::kPointToPoint,
                                  .size = 10_MB,
                                  .groups = {{RankId{3}, RankId{1}}, {RankId{0}, RankId{2}}}};
  const auto schedule = build_collective(request, star);
  ASSERT_EQ(schedule.rounds.size(), 1u);
  ASSERT_EQ(schedule.rounds[0].flows.size(), 2u);
  EXPECT_EQ(schedule.rounds[0].flows[0].source, RankId{3});
  EXPECT_EQ(schedule.rounds[0].flows[0].destination, RankId{1});
  EXPECT_NEAR(closed_form_time(request, star).base(), 101e-6, 1e-15);  // 1 us + 10 MB / 100 GB/s
  EXPECT_NEAR(schedule_time(schedule, star).base(), 101e-6, 1e-15);
  EXPECT_NEAR(lower_bound(request, star).base(), 100e-6, 1e-15);
}

TEST(Pipelined, FillsRunsAndDrains) {
  const Flow a{RankId{0}, RankId{1}, 1_MB};
  const Flow b{RankId{1}, RankId{2}, 1_MB};
  const std::vector<Stage> stages{{a}, {b}};
  // Five chunks through two stages: a, then a and b four times, then b.
  const std::vector<Round> rounds = pipelined(stages, 5);
  ASSERT_EQ(rounds.size(), 3u);
  EXPECT_EQ(rounds[0].flows.size(), 1u);
  EXPECT_EQ(rounds[1].flows.size(), 2u);
  EXPECT_EQ(rounds[1].repeat, 4);
  EXPECT_EQ(rounds[2].flows.size(), 1u);
  EXPECT_EQ(pipelined(stages, 1).size(), 2u);
}

TEST(SideBySide, AlignsRoundsThatRepeat) {
  const Flow a{RankId{0}, RankId{1}, 1_MB};
  const Flow b{RankId{2}, RankId{3}, 1_MB};
  const std::vector<std::vector<Round>> parts{{{.flows = {a}, .repeat = 5}},
                                              {{.flows = {b}, .repeat = 2}, {.flows = {b}}}};
  // a and b twice, a and b once, a twice
  const std::vector<Round> rounds = side_by_side(parts);
  ASSERT_EQ(rounds.size(), 3u);
  EXPECT_EQ(rounds[0].repeat, 2);
  EXPECT_EQ(rounds[1].repeat, 1);
  EXPECT_EQ(rounds[2].repeat, 2);
  EXPECT_EQ(rounds[2].flows.size(), 1u);
}

}  // namespace
}  // namespace switchyard
