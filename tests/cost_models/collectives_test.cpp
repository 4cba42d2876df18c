
#include <gtest/gtest.h>

#include "tests/cost_models/torus_collectives.hpp"
#include "tests/topologies/torus_shapes.hpp"
#include "topologies/analysis.hpp"

namespace switchyard {
namespace {

using namespace literals;

constexpr LinkSpec kCable{.bandwidth = 100_GBps, .latency = Seconds{0}};

TorusSpec torus(int width, int height, int ranks_per_router = 1) {
  return torus_of({width, height}, kCable, ranks_per_router);
}

Seconds all_reduce_time(const TorusSpec& spec, Bytes buffer) {
  return schedule_time(torus_all_reduce(spec, buffer), build_torus(spec));
}

Bytes total_bytes(const CollectiveSchedule& schedule) {
  Bytes sum;
  for (const Round& round : schedule.rounds)
    for (const Flow& flow : round.flows) sum += round.repeat * flow.bytes;
  return sum;
}

TEST(DirectAllToAll, SendsFromEveryRankToEveryOtherInOneRound) {
  const CollectiveSchedule schedule = direct_all_to_all(4, 1_MB);
  ASSERT_EQ(schedule.rounds.size(), 1u);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 12u);  // 4 * 3
  EXPECT_EQ(total_bytes(schedule), 12_MB);
}

TEST(DirectAllToAll, CostsNothingForOneRankOrNoBytes) {
  EXPECT_TRUE(direct_all_to_all(1, 1_MB).rounds.empty());
  EXPECT_TRUE(direct_all_to_all(4, 0_MB).rounds.empty());
  EXPECT_EQ(schedule_time(direct_all_to_all(4, 0_MB), build_torus(torus(2, 2))), Seconds{0});
}

TEST(DirectAllToAll, TakesRowsAsSenders) {
  Eigen::MatrixXd bytes = Eigen::MatrixXd::Zero(3, 3);
  bytes(0, 2) = 5e6;
  bytes(1, 1) = 7e6;  // stays on rank 1
  const CollectiveSchedule schedule = direct_all_to_all(bytes);
  ASSERT_EQ(schedule.rounds.size(), 1u);
  ASSERT_EQ(schedule.rounds[0].flows.size(), 1u);
  EXPECT_EQ(schedule.rounds[0].flows[0].source, RankId{0});
  EXPECT_EQ(schedule.rounds[0].flows[0].destination, RankId{2});
  EXPECT_EQ(schedule.rounds[0].flows[0].bytes, 5_MB);
}

TEST(DirectAllToAllDeathTest, RejectsNegativeBytes) {
  EXPECT_DEATH((void)direct_all_to_all(Eigen::MatrixXd::Constant(2, 2, -1.0)), "not negative");
}

TEST(ScheduleTime, AddsTheLongestLatencyToTheBusiestLink) {
  TorusSpec spec = torus(4, 4);
  for (TorusDimension& dimension : spec.dimensions) dimension.link.latency = 1_us;
  // Uniform: k^3 m / (8 b) = 8 * 1 MB / 100 GB/s = 80 us; the longest path is 4 cables.
  EXPECT_NEAR(schedule_time(direct_all_to_all(16, 1_MB), build_torus(spec)).base(), 84e-6, 1e-15);
}

TEST(ScheduleTime, AddsUpRounds) {
  const CollectiveSchedule schedule{.algorithm = "two rounds",
                                    .rounds = {{.flows = {{RankId{0}, RankId{1}, 10_MB}}},
                                               {.flows = {{RankId{0}, RankId{1}, 20_MB}}}}};
  const Topology topology = build_torus(torus(4, 1));
  // 100 us + 200 us; the busiest link carries 30 MB in all, so the bound is the same here.
  EXPECT_NEAR(schedule_time(schedule, topology).base(), 300e-6, 1e-15);
  EXPECT_NEAR(link_load_bound(schedule, topology).base(), 300e-6, 1e-15);
}

TEST(TorusAllReduce, UsesAllFourLinksOfASquareOfTwoCoreChips) {
  TorusSpec spec = torus(4, 4, 2);
  spec.on_chip.bandwidth = 1000_GBps;
  // Rings: 2 * 15/16 * 64 MB / (4 * 100 GB/s) = 300 us. Cores exchange 32 MB each way, twice:
  // 2 * 32 MB / 1000 GB/s = 64 us.
  EXPECT_NEAR(all_reduce_time(spec, 64_MB).base(), 364e-6, 1e-12);
}

TEST(TorusAllReduce, IsTheRingFormulaInOneDimension) {
  // 2 * 7/8 * 80 MB / (2 * 100 GB/s) = 700 us, both ways round
  EXPECT_NEAR(all_reduce_time(torus(8, 1), 80_MB).base(), 700e-6, 1e-12);
  EXPECT_NEAR(all_reduce_time(torus(1, 8), 80_MB).base(), 700e-6, 1e-12);
  // 2 * 4/5 * 80 MB / 200 GB/s = 640 us
  EXPECT_NEAR(all_reduce_time(torus(5, 1), 80_MB).base(), 640e-6, 1e-12);
  // Two chips with two cables: 2 * 1/2 * 80 MB / 200 GB/s = 400 us
  EXPECT_NEAR(all_reduce_time(torus(2, 1), 80_MB).base(), 400e-6, 1e-12);
}

TEST(TorusAllReduce, DoesBothOrdersAtOnceWithOneCore) {
  // 2 * 15/16 * 64 MB / 400 GB/s = 300 us
  EXPECT_NEAR(all_reduce_time(torus(4, 4, 1), 64_MB).base(), 300e-6, 1e-12);
}

TEST(TorusAllReduce, PaysLatencyForEveryRound) {
  TorusSpec spec = torus(4, 4, 2);
  spec.on_chip = {.bandwidth = 1000_GBps, .latency = 0.1_us};
  for (TorusDimension& dimension : spec.dimensions) dimension.link.latency = 1_us;
  // 12 ring rounds of 1 us + 2 ports of 0.1 us, 2 rounds on the chip of 2 ports: 14.4 + 0.4 us.
  EXPECT_NEAR(all_reduce_time(spec, 64_MB).base(), (364 + 14.8) * 1e-6, 1e-12);
}

TEST(TorusAllReduce, IsHalfAsFastInAMesh) {
  const TorusSpec line = torus_of({8, 1}, kCable, 1, false);
  // Closing both rings over the line loads each link twice: 2 * 700 us.
  EXPECT_NEAR(all_reduce_time(line, 80_MB).base(), 1400e-6, 1e-12);
}

TEST(TorusAllReduce, CostsNothingForOneRankOrNoBytes) {
  EXPECT_TRUE(torus_all_reduce(torus(1, 1), 1_MB).rounds.empty());
  EXPECT_TRUE(torus_all_reduce(torus(4, 4, 2), 0_MB).rounds.empty());
}

TEST(AllToAllLowerBound, IsMetOnASquare) {
  EXPECT_NEAR(all_to_all_lower_bound(torus(4, 4), 1_MB).base(), 80e-6, 1e-15);
}

TEST(AllToAllLowerBound, IsThePortOfARankThatIsSlow) {
  TorusSpec spec = torus(4, 4);
  spec.on_chip.bandwidth = 100_GBps;  // 15 MB out of each port: 150 us > 80 us
  EXPECT_NEAR(all_to_all_lower_bound(spec, 1_MB).base(), 150e-6, 1e-15);
}

TEST(AllReduceLowerBound, IsHalfABufferOnOneChip) {
  TorusSpec chip = torus(1, 1, 2);
  chip.on_chip.bandwidth = 1000_GBps;
  // 2 * 1/2 * 64 MB / 1000 GB/s = 64 us, which the exchange of halves needs: 2 * 32 MB.
  EXPECT_NEAR(all_reduce_lower_bound(chip, 64_MB).base(), 64e-6, 1e-12);
  EXPECT_NEAR(all_reduce_time(chip, 64_MB).base(), 64e-6, 1e-12);
}

class CollectivesOnShapes : public ::testing::TestWithParam<TorusSpec> {};

TEST_P(CollectivesOnShapes, AllReduceSendsNoMoreThanItMust) {
  // Patarasuk and Yuan: 2 (R - 1) S in all.
  const double ranks = num_ranks(GetParam());
  EXPECT_NEAR(total_bytes(torus_all_reduce(GetParam(), 64_MB)).base(), 2 * (ranks - 1) * 64e6, 1.0);
}

TEST_P(CollectivesOnShapes, AllReduceRespectsItsBounds) {
  const Topology topology = build_torus(GetParam());
  const CollectiveSchedule schedule = torus_all_reduce(GetParam(), 64_MB);
  const double time = schedule_time(schedule, topology).base();
  EXPECT_GE(time * (1 + 1e-12), link_load_bound(schedule, topology).base());
  EXPECT_GE(time * (1 + 1e-12), all_reduce_lower_bound(GetParam(), 64_MB).base());
}

TEST_P(CollectivesOnShapes, AllToAllRespectsItsBounds) {
  const double bound = all_to_all_lower_bound(GetParam(), 1_MB).base();
  const double busiest = uniform_all_to_all_bound(build_torus(GetParam()), 1_MB).base();
  EXPECT_GE(busiest * (1 + 1e-12), bound);
  // With a wrap the cut is tight: a (k - a) = floor(k^2 / 4) is also what ring distances add up to.
  if (GetParam().dimensions[0].wrap) {
    EXPECT_NEAR(busiest, bound, 1e-12);
  }
}

TorusSpec mesh(int width, int height, int ranks_per_router) {
  return torus_of({width, height}, kCable, ranks_per_router, false);
}

INSTANTIATE_TEST_SUITE_P(Collectives, CollectivesOnShapes,
                         ::testing::Values(torus(1, 1, 2), torus(2, 1, 1), torus(2, 2, 2),
                                           torus(2, 5, 2), torus(5, 3, 1), torus(4, 4, 2),
                                           torus(4, 8, 2), torus(3, 3, 4), torus(4, 4, 3),
                                           mesh(4, 4, 2), mesh(2, 3, 1)),
                         shape_test_name);

}  // namespace
}  // namespace switchyard
