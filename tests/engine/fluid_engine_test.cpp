#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "sim/engine/backends.hpp"
#include "sim/engine/flow_set.hpp"
#include "tests/cost_models/torus_collectives.hpp"
#include "tests/engine/graph_builders.hpp"
#include "tests/engine/random_flows.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

CollectiveSchedule all_pairs(Bytes bytes) {
  return {.algorithm = "all pairs", .rounds = {{.all_pairs = AllPairs{bytes}}}};
}

/// Rank r sends to r + 1, again and again.
CollectiveSchedule ring(int ranks, Bytes bytes, int repeat) {
  Round round{.repeat = repeat};
  for (int rank = 0; rank < ranks; ++rank)
    round.flows.push_back({RankId{rank}, RankId{(rank + 1) % ranks}, bytes});
  return {.algorithm = "ring", .rounds = {round}};
}

double makespan(const TaskGraph& graph, const TorusSpec& torus) {
  return execute(EngineKind::kFluid, graph, build_torus(torus)).makespan.base();
}

/// Largest difference between the dates of two executions, relative to the end of both.
double difference(const std::vector<Span>& first, const std::vector<Span>& second) {
  double end = 0;
  double most = 0;
  for (std::size_t k = 0; k < first.size(); ++k) {
    end = std::max(end, first[k].end.base());
    most = std::max({most, std::abs((first[k].end - second[k].end).base()),
                     std::abs((first[k].start - second[k].start).base())});
  }
  return end > 0 ? most / end : most;
}

void expect_as_simgrid(const TaskGraph& graph, const TorusSpec& torus, double tolerance = 1e-6) {
  if (!has_simgrid()) GTEST_SKIP() << "built without SimGrid";
  const Topology topology = build_torus(torus);
  const Timeline reference = execute(EngineKind::kSimGrid, graph, topology);
  EXPECT_LT(difference(fluid_spans(graph, topology), reference.spans), tolerance);
  EXPECT_LT(difference(fluid_spans(graph, topology, ServeRounds::kNo), reference.spans), tolerance);
}

/// A collective for each flow, so that the span of its sender is the flow's.
TaskGraph flow_by_flow(const std::vector<Flow>& flows) {
  TaskGraph graph;
  for (const Flow& flow : flows) add_collective(graph, one_round({flow}));
  return graph;
}

TEST(FluidEngine, ChargesLatencyOnce) {
  TaskGraph graph;
  add_collective(graph, one_round({{RankId{0}, RankId{3}, 100_MB}}));
  // 3 cables of 1 us, then 100 MB / 100 GB/s
  EXPECT_NEAR(makespan(graph, plain_torus(8, 1, 1_us)), 1.003e-3, 1e-15);
}

TEST(FluidEngine, FollowsTheArithmeticOfOverlappingFlows) {
  TaskGraph graph;
  const TaskId wait = add_compute(graph, 1_ms);
  const TaskId first = add_collective(graph, one_round({{RankId{0}, RankId{1}, 300_MB}}));
  const TaskId second = add_collective(graph, one_round({{RankId{0}, RankId{1}, 50_MB}}), {wait});
  const Timeline timeline = execute(EngineKind::kFluid, graph, build_torus(plain_torus(4, 1)));
  // Alone until 1 ms (100 MB), half each until the second's 50 MB are through at 2 ms; the first
  // then has 150 MB left: 3.5 ms.
  EXPECT_NEAR(end_s(timeline, second, 0), 2e-3, 1e-15);
  EXPECT_NEAR(end_s(timeline, first, 0), 3.5e-3, 1e-15);
}

TEST(FluidEngine, RepeatsRoundsWithoutWritingThemOut) {
  // 2 (n - 1)/n * S / b with n = 16, S = 64 MB: rank to rank + 1 share no cable on the rows' rings
  // but the last of a row goes one back along x (wrapped) and one up along y.
  TaskGraph graph;
  add_collective(graph, ring(16, 4_MB, 30));
  EXPECT_NEAR(makespan(graph, plain_torus(4, 4)), 30 * 40e-6, 1e-12);
}

TEST(FluidEngine, WaitsForTheStartupBeforeTheFirstRoundOnly) {
  TaskGraph graph;
  CollectiveSchedule schedule = ring(4, 4_MB, 3);
  schedule.startup = 5_us;
  add_collective(graph, schedule);
  EXPECT_NEAR(makespan(graph, plain_torus(4, 1)), 5e-6 + 3 * 40e-6, 1e-15);
  TaskGraph pairs;
  schedule = all_pairs(1_MB);
  schedule.startup = 5_us;
  add_collective(pairs, schedule);
  EXPECT_NEAR(makespan(pairs, plain_torus(4, 4)), 85e-6, 1e-15);
}

TEST(FluidEngine, ServesACollectiveAloneAsItWouldRun) {
  for (const Seconds latency : {0_us, 1_us}) {
    for (const TieBreak tie : {TieBreak::kSplit, TieBreak::kFixed}) {
      TaskGraph graph;
      TaskId last = add_compute(graph, 1_ms);
      for (int layer = 0; layer < 3; ++layer) {
        last = add_collective(graph, all_pairs(1_MB), {last});
        last = add_compute(graph, 10_us, {last});
        last = add_collective(graph, one_round(lognormal_all_to_all(24, 0.5, 3)), {last});
      }
      const Topology topology = build_torus(plain_torus(6, 4, latency, tie));
      EXPECT_LT(
          difference(fluid_spans(graph, topology), fluid_spans(graph, topology, ServeRounds::kNo)),
          1e-12);
    }
  }
}

TEST(FluidEngine, DoesNotServeWhereCollectivesMayMeet) {
  const Topology topology = build_torus(plain_torus(4, 4));
  const auto expect_same = [&](const TaskGraph& graph) {
    EXPECT_LT(
        difference(fluid_spans(graph, topology), fluid_spans(graph, topology, ServeRounds::kNo)),
        1e-12);
  };
  TaskGraph at_once;
  add_collective(at_once, all_pairs(1_MB));
  add_collective(at_once, all_pairs(1_MB));
  expect_same(at_once);
  EXPECT_NEAR(fluid_spans(at_once, topology).back().end.base(), 160e-6, 1e-14);

  TaskGraph later;  // starts while the first is under way
  add_collective(later, all_pairs(1_MB));
  add_collective(later, all_pairs(1_MB), {add_compute(later, 40_us)});
  expect_same(later);

  TaskGraph early_leavers;  // go on to the next while others still send
  const TaskId first = add_collective(
      early_leavers, one_round({{RankId{0}, RankId{1}, 10_MB}, {RankId{2}, RankId{3}, 1_MB}}));
  add_collective(early_leavers, all_pairs(1_MB), {first});
  expect_same(early_leavers);

  TaskGraph late_rank;
  std::vector<double> slowdown(16, 1.0);
  slowdown[5] = 1.5;
  add_collective(late_rank, all_pairs(1_MB), {add_compute(late_rank, 20_us, {}, slowdown)});
  expect_same(late_rank);
}

TEST(FluidEngine, GivesTheSameBitsTwice) {
  TaskGraph graph;
  TaskId last = add_compute(graph, 1_ms);
  for (std::uint64_t layer = 0; layer < 3; ++layer)
    last = add_collective(graph, one_round(lognormal_all_to_all(16, 0.5, layer)), {last});
  const Topology topology = build_torus(plain_torus(4, 4, 1_us));
  EXPECT_EQ(difference(fluid_spans(graph, topology), fluid_spans(graph, topology)), 0.0);
}

TEST(FluidEngine, AgreesWithSimGridOnUniformAllToAll) {
  for (const int side : {4, 8}) {
    TaskGraph graph;
    add_collective(graph, all_pairs(1_MB));
    expect_as_simgrid(graph, plain_torus(side, side));
    expect_as_simgrid(graph, plain_torus(side, side, 1_us));
    expect_as_simgrid(graph, plain_torus(side, side, 1_us, TieBreak::kFixed));
  }
}

TEST(FluidEngine, AgreesWithSimGridFlowByFlow) {
  expect_as_simgrid(flow_by_flow(lognormal_all_to_all(16, 0.5, 4)), plain_torus(4, 4, 1_us));
}

TEST(ExactTimes, AgreeWithSimGridFlowByFlow) {
  if (!has_simgrid()) GTEST_SKIP() << "built without SimGrid";
  const Topology topology = build_torus(plain_torus(8, 8));
  const std::vector<Flow> flows = lognormal_all_to_all(64, 0.5, 5);
  const FlowTimes times = exact_times(make_flow_set(topology, flows));
  const Timeline reference = execute(EngineKind::kSimGrid, flow_by_flow(flows), topology);
  for (std::size_t f = 0; f < flows.size(); ++f) {
    const TaskId task{static_cast<std::int32_t>(f)};
    const double expected = end_s(reference, task, flows[f].source.value());
    EXPECT_NEAR(times.finish[f].base(), expected, 1e-6 * expected) << f;
  }
}

TEST(FluidEngine, AgreesWithSimGridOnFlowsThatStartAtOtherTimes) {
  TaskGraph graph;
  auto random = stream_engine(6, {});
  for (const Flow& flow : lognormal_all_to_all(16, 1.0, 7)) {
    std::vector<double> slowdown(16, 0.0);
    slowdown[flow.source.index()] = uniform(random);
    add_collective(graph, one_round({flow}), {add_compute(graph, 10_us, {}, slowdown)});
  }
  expect_as_simgrid(graph, plain_torus(4, 4, 1_us));
}

TEST(FluidEngine, AgreesWithSimGridOnCollectivesAtOnce) {
  TaskGraph graph;
  add_collective(graph, all_pairs(1_MB));
  add_collective(graph, torus_all_reduce(plain_torus(4, 4), 64_MB));
  add_collective(graph, ring(16, 1_MB, 40), {add_compute(graph, 50_us)});
  expect_as_simgrid(graph, plain_torus(4, 4, 1_us));
}

TEST(FluidEngine, AgreesWithSimGridOnDependentRounds) {
  // Not more than 20 rounds: long chains of irregular messages on shared links amplify rounding.
  auto random = stream_engine(8, {});
  CollectiveSchedule shifts{.algorithm = "shifts", .startup = 2_us};
  for (int round = 1; round <= 20; ++round) {
    shifts.rounds.emplace_back();
    for (int rank = 0; rank < 25; ++rank)
      shifts.rounds.back().flows.push_back(
          {RankId{rank}, RankId{(rank + round) % 25}, Bytes{1e6 * (0.5 + uniform(random))}});
  }
  TaskGraph graph;
  std::vector<double> slowdown(25);
  for (double& factor : slowdown) factor = uniform(random);
  const TaskId compute = add_compute(graph, 100_us, {}, slowdown);
  const TaskId first = add_collective(graph, shifts, {compute});
  add_collective(graph, all_pairs(1_MB), {first});
  expect_as_simgrid(graph, plain_torus(5, 5, 1_us));
}

TEST(FluidEngine, AgreesWithSimGridOnAnAllReduceWithLatency) {
  TorusSpec torus = plain_torus(4, 3, 1_us);
  torus.ranks_per_router = 2;
  torus.on_chip = {.bandwidth = 300_GBps, .latency = 0.1_us};
  TaskGraph graph;
  add_collective(graph, torus_all_reduce(torus, 64_MB));
  add_collective(graph, all_pairs(1_MB), {TaskId{0}});
  expect_as_simgrid(graph, torus);
}

}  // namespace
}  // namespace switchyard
