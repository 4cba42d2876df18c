#include <numeric>
#include <random>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/cost_models/torus_collectives.hpp"
#include "tests/engine/graph_builders.hpp"
#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

constexpr Seconds kMs{1e-3};

TorusSpec torus(int width, int height, int ranks_per_router = 1, Seconds latency = {}) {
  return torus_of({width, height}, {.bandwidth = 100_GBps, .latency = latency}, ranks_per_router);
}

class SimGridEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_simgrid()) GTEST_SKIP() << "built without SimGrid";
  }

  static Timeline run(const TaskGraph& graph, const TorusSpec& spec) {
    return execute(EngineKind::kSimGrid, graph, build_torus(spec));
  }

  /// Time of one collective alone.
  static double time_of(const CollectiveSchedule& schedule, const TorusSpec& spec) {
    TaskGraph graph;
    add_collective(graph, schedule);
    return run(graph, spec).makespan.base();
  }

  static double closed_form(const CollectiveSchedule& schedule, const TorusSpec& spec) {
    return schedule_time(schedule, build_torus(spec)).base();
  }
};

TEST_F(SimGridEngine, RunsComputeTasksOfARankOneByOne) {
  TaskGraph graph;
  const TaskId first = add_compute(graph, 2 * kMs, {}, {1.0, 2.0});
  const TaskId second = add_compute(graph, 3 * kMs);
  const Timeline timeline = run(graph, torus(2, 1));
  EXPECT_NEAR(end_s(timeline, first, 1), 4e-3, 1e-15);
  EXPECT_NEAR(start_s(timeline, second, 0), 2e-3, 1e-15);
  EXPECT_NEAR(end_s(timeline, second, 0), 5e-3, 1e-15);
  EXPECT_NEAR(end_s(timeline, second, 1), 7e-3, 1e-15);
}

TEST_F(SimGridEngine, ChargesLatencyOnce) {
  TorusSpec spec = torus(8, 1, 1, 1_us);
  spec.on_chip.latency = 0.5_us;
  // 0 -> 3: 3 cables of 1 us and 2 ports of 0.5 us, then 100 MB / 100 GB/s = 1 ms
  EXPECT_NEAR(time_of(one_round({{RankId{0}, RankId{3}, 100_MB}}), spec), 1.004e-3, 1e-12);
}

TEST_F(SimGridEngine, SharesALinkEquallyWhateverTheLatency) {
  const TorusSpec line = torus_of({5}, {.bandwidth = 100_GBps, .latency = 1_us}, 1, false);
  TaskGraph graph;
  const TaskId both = add_collective(
      graph, one_round({{RankId{3}, RankId{4}, 100_MB}, {RankId{0}, RankId{4}, 100_MB}}));
  const Timeline timeline = run(graph, line);
  // The near flow starts at 1 us, is alone for 3 us (0.3 MB), then shares: 99.7 MB / 50 GB/s =
  // 1994 us more, so it ends at 1998 us; the far one has 0.3 MB left and ends at 2001 us.
  EXPECT_NEAR(end_s(timeline, both, 3), 1998e-6, 1e-12);
  EXPECT_NEAR(end_s(timeline, both, 0), 2001e-6, 1e-12);
  EXPECT_NEAR(end_s(timeline, both, 4), 2001e-6, 1e-12);  // it receives both
  EXPECT_NEAR(end_s(timeline, both, 2), 0.0, 1e-15);      // passing traffic is not its own
}

TEST_F(SimGridEngine, MeetsTheClosedFormOfAUniformAllToAll) {
  // k^3 m / (8 b) = 80 us for one core, 4 times that for two
  EXPECT_NEAR(time_of(direct_all_to_all(16, 1_MB), torus(4, 4)), 80e-6, 1e-14);
  EXPECT_NEAR(time_of(direct_all_to_all(32, 1_MB), torus(4, 4, 2)), 320e-6, 1e-14);
  for (const TorusSpec& spec : {torus(5, 3), torus(2, 4), torus(1, 5), torus(2, 2, 2)}) {
    const auto schedule = direct_all_to_all(num_ranks(spec), 1_MB);
    EXPECT_NEAR(time_of(schedule, spec), closed_form(schedule, spec), 1e-14) << shape_name(spec);
  }
}

TEST_F(SimGridEngine, HidesLatencyOfShortPathsBehindTheBusiestLink) {
  // The neighbours' messages arrive at their cable after 1 us and keep it busy until the later ones
  // are there: 1 us + 80 us. The closed form charges the longest path instead: 4 us + 80 us.
  const auto schedule = direct_all_to_all(16, 1_MB);
  const TorusSpec spec = torus(4, 4, 1, 1_us);
  EXPECT_NEAR(time_of(schedule, spec), 81e-6, 1e-12);
  EXPECT_NEAR(closed_form(schedule, spec), 84e-6, 1e-12);
}

TEST_F(SimGridEngine, MeetsTheClosedFormOfAllReduceOnSquaresAndRings) {
  TorusSpec square = torus(4, 4, 2, 1_us);
  square.on_chip = {.bandwidth = 1000_GBps, .latency = 0.1_us};
  for (const TorusSpec& spec : {square, torus(8, 1), torus(1, 5), torus(2, 1), torus(3, 3, 2)}) {
    const auto schedule = torus_all_reduce(spec, 64_MB);
    EXPECT_NEAR(time_of(schedule, spec), closed_form(schedule, spec), 1e-12) << shape_name(spec);
  }
}

TEST_F(SimGridEngine, IsNoSlowerThanRoundByRoundOnRectangles) {
  // The two orders drift apart and meet on the longer dimension, so there is no closed form; both
  // must lie above the proven bound.
  for (const TorusSpec& spec : {torus(5, 3, 2), torus(2, 4, 2), torus(4, 8, 2)}) {
    const auto schedule = torus_all_reduce(spec, 64_MB);
    const double time = time_of(schedule, spec);
    EXPECT_LE(time, closed_form(schedule, spec) * (1 + 1e-9)) << shape_name(spec);
    EXPECT_GE(time * (1 + 1e-9), all_reduce_lower_bound(spec, 64_MB).base());
  }
}

TEST_F(SimGridEngine, MakesCollectivesAtOnceShareTheNetwork) {
  TaskGraph graph;
  add_collective(graph, direct_all_to_all(16, 1_MB));
  add_collective(graph, direct_all_to_all(16, 1_MB));
  // Alone 80 us each; together every link carries twice the bytes. The analytic engine sees 80 us.
  EXPECT_NEAR(run(graph, torus(4, 4)).makespan.base(), 160e-6, 1e-14);
  EXPECT_NEAR(execute(EngineKind::kAnalytic, graph, build_torus(torus(4, 4))).makespan.base(),
              80e-6, 1e-14);
}

TEST_F(SimGridEngine, OverlapsCollectivesWithIndependentCompute) {
  TaskGraph graph;
  add_collective(graph, direct_all_to_all(16, 1_MB));  // 80 us
  const TaskId compute = add_compute(graph, kMs);
  const Timeline timeline = run(graph, torus(4, 4));
  EXPECT_EQ(start_s(timeline, compute, 7), 0.0);
  EXPECT_NEAR(timeline.makespan.base(), 1e-3, 1e-15);
}

TEST_F(SimGridEngine, DelaysOnlyThoseWhoNeedTheStraggler) {
  TaskGraph graph;
  const TaskId compute = add_compute(graph, kMs, {}, {0.0, 0.0, 1.0, 0.0});  // rank 2 is late
  const TaskId exchange = add_collective(
      graph, one_round({{RankId{0}, RankId{1}, 100_MB}, {RankId{2}, RankId{3}, 100_MB}}),
      {compute});
  const Timeline timeline = run(graph, torus(4, 1));
  EXPECT_NEAR(end_s(timeline, exchange, 0), 1e-3, 1e-12);
  EXPECT_NEAR(end_s(timeline, exchange, 1), 1e-3, 1e-12);
  EXPECT_NEAR(start_s(timeline, exchange, 2), 1e-3, 1e-12);
  EXPECT_NEAR(end_s(timeline, exchange, 2), 2e-3, 1e-12);
  EXPECT_NEAR(end_s(timeline, exchange, 3), 2e-3, 1e-12);
}

TEST_F(SimGridEngine, PassesADelayOnRoundByRound) {
  CollectiveSchedule shifts{.algorithm = "shift twice", .rounds = {}};
  for (int round = 0; round < 2; ++round) {
    shifts.rounds.emplace_back();
    for (int rank = 0; rank < 6; ++rank)
      shifts.rounds.back().flows.push_back({RankId{rank}, RankId{(rank + 1) % 6}, 10_MB});
  }
  TaskGraph graph;
  const TaskId compute = add_compute(graph, kMs, {}, {1.0, 0.0, 0.0, 0.0, 0.0, 0.0});
  const TaskId shift = add_collective(graph, shifts, {compute});
  const Timeline timeline = run(graph, torus(6, 1));
  // Each message takes 0.1 ms. Rank 0 sends at 1.0 and 1.1 ms, so ranks 0 and 1 leave at 1.2 ms.
  // Rank 1 has its first message at 1.1 ms and sends its second then, so rank 2 leaves at 1.2 ms.
  // Ranks 3 to 5 get both their messages on time and leave at 0.2 ms; 5 -> 0 does not wait for 0.
  for (const int rank : {0, 1, 2}) EXPECT_NEAR(end_s(timeline, shift, rank), 1.2e-3, 1e-12) << rank;
  for (const int rank : {3, 4, 5}) EXPECT_NEAR(end_s(timeline, shift, rank), 0.2e-3, 1e-12) << rank;
}

TEST_F(SimGridEngine, TakesNoTimeForNothing) {
  const CollectiveSchedule nothing =
      one_round({{RankId{0}, RankId{0}, 5_MB}, {RankId{0}, RankId{1}, 0_MB}});
  EXPECT_EQ(time_of(nothing, torus(4, 1, 1, 1_us)), 0.0);
  EXPECT_EQ(time_of(direct_all_to_all(1, 5_MB), torus(1, 1)), 0.0);
  EXPECT_EQ(time_of(torus_all_reduce(torus(1, 1), 5_MB), torus(1, 1)), 0.0);
}

TEST_F(SimGridEngine, SimulatesFractionsOfAByte) {
  // 0.25 B / 100 GB/s = 2.5 ps, 1000 times in turn
  CollectiveSchedule trickle{.algorithm = "trickle", .rounds = {}};
  for (int round = 0; round < 1000; ++round)
    trickle.rounds.push_back({.flows = {{RankId{0}, RankId{1}, Bytes{0.25}}}});
  EXPECT_NEAR(time_of(trickle, torus(4, 1)), 2.5e-9, 1e-15);
}

TEST_F(SimGridEngine, SurvivesLongChainsWithoutDuration) {
  TaskGraph graph;
  TaskId last = add_compute(graph, Seconds{0});
  for (int k = 0; k < 50'000; ++k)
    last = k % 2 == 0 ? add_compute(graph, Seconds{0}, {last})
                      : add_collective(graph, direct_all_to_all(2, 0_MB), {last});
  EXPECT_EQ(run(graph, torus(2, 1)).makespan, Seconds{0});
}

TEST_F(SimGridEngine, CountsTheBytesOfEveryLink) {
  TaskGraph graph;
  add_collective(graph, direct_all_to_all(16, 1_MB));
  const Timeline timeline = run(graph, torus(4, 4));
  const Bytes sum =
      std::accumulate(timeline.link_bytes.begin(), timeline.link_bytes.end(), Bytes{});
  // 16 * 32 steps over cables (ring distances add up to 32) and 240 messages over two ports each
  EXPECT_NEAR(sum.base(), (512 + 480) * 1e6, 1.0);
}

TEST_F(SimGridEngine, GivesTheSameBitsTwice) {
  std::mt19937_64 random{7};
  const auto draw = [&random] { return static_cast<double>(random() % 1'000'000); };
  TaskGraph graph;
  TaskId last = add_compute(graph, kMs);
  for (int layer = 0; layer < 3; ++layer) {
    std::vector<double> slowdown(32);
    for (double& factor : slowdown) factor = 1 + draw() / 1e7;
    last = add_compute(graph, kMs, {last}, slowdown);
    last = add_collective(graph, direct_all_to_all(Eigen::MatrixXd::NullaryExpr(32, 32, draw)),
                          {last});
  }
  const Timeline first = run(graph, torus(4, 4, 2, 1_us));
  const Timeline second = run(graph, torus(4, 4, 2, 1_us));
  ASSERT_EQ(first.spans.size(), second.spans.size());
  for (std::size_t k = 0; k < first.spans.size(); ++k) {
    EXPECT_EQ(first.spans[k].start, second.spans[k].start) << k;
    EXPECT_EQ(first.spans[k].end, second.spans[k].end) << k;
  }
}

TEST(EngineName, IsWhatUsersWrite) {
  EXPECT_EQ(engine_name(EngineKind::kSimGrid), "simgrid");
  EXPECT_EQ(engine_name(EngineKind::kAnalytic), "analytic");
}

TEST(SimGridEngineMissing, SaysHowToGetIt) {
  if (has_simgrid()) GTEST_SKIP() << "built with SimGrid";
  EXPECT_THROW((void)execute(EngineKind::kSimGrid, {}, build_torus(torus(2, 1))),
               std::runtime_error);
}

}  // namespace
}  // namespace switchyard
