#include <gtest/gtest.h>

#include "cost_models/collectives.hpp"
#include "tests/engine/graph_builders.hpp"
#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

constexpr Seconds kMs{1e-3};

/// Four chips in a ring, 100 GB/s each way, one rank each.
Topology ring_of_four() {
  return build_torus(torus_of({4}, {.bandwidth = 100_GBps, .latency = Seconds{0}}));
}

Timeline run(const TaskGraph& graph) {
  return execute(EngineKind::kAnalytic, graph, ring_of_four());
}

TEST(AnalyticEngine, RunsComputeTasksOfARankOneByOne) {
  TaskGraph graph;
  const TaskId first = add_compute(graph, 2 * kMs);
  const TaskId second = add_compute(graph, 3 * kMs);  // independent of the first, but after it
  const Timeline timeline = run(graph);
  EXPECT_NEAR(end_s(timeline, first, 0), 2e-3, 1e-15);
  EXPECT_NEAR(start_s(timeline, second, 0), 2e-3, 1e-15);
  EXPECT_NEAR(timeline.makespan.base(), 5e-3, 1e-15);
}

TEST(AnalyticEngine, SlowsDownSingleRanks) {
  TaskGraph graph;
  const TaskId task = add_compute(graph, 2 * kMs, {}, {1.0, 1.5, 1.0, 0.5});
  const Timeline timeline = run(graph);
  EXPECT_NEAR(end_s(timeline, task, 0), 2e-3, 1e-15);
  EXPECT_NEAR(end_s(timeline, task, 1), 3e-3, 1e-15);
  EXPECT_NEAR(end_s(timeline, task, 3), 1e-3, 1e-15);
}

TEST(AnalyticEngine, StartsACollectiveWhenTheLastRankEnters) {
  TaskGraph graph;
  const TaskId compute = add_compute(graph, 2 * kMs, {}, {1.0, 1.5, 1.0, 0.5});
  // 100 MB over one link: 1 ms, from 3 ms (rank 1) on.
  const TaskId send = add_collective(graph, one_round({{RankId{2}, RankId{3}, 100_MB}}), {compute});
  const Timeline timeline = run(graph);
  for (int rank = 0; rank < 4; ++rank) {
    EXPECT_EQ(start_s(timeline, send, rank), end_s(timeline, compute, rank)) << rank;
    EXPECT_NEAR(end_s(timeline, send, rank), 4e-3, 1e-15) << rank;
  }
}

TEST(AnalyticEngine, OverlapsCollectivesWithIndependentCompute) {
  TaskGraph graph;
  add_collective(graph, one_round({{RankId{2}, RankId{3}, 100_MB}}));  // 1 ms
  add_compute(graph, 3 * kMs);
  EXPECT_NEAR(run(graph).makespan.base(), 3e-3, 1e-15);
}

TEST(AnalyticEngine, LetsNobodyWaitForACollectiveWithoutMessages) {
  TaskGraph graph;
  const TaskId compute = add_compute(graph, 2 * kMs, {}, {1.0, 1.5, 1.0, 0.5});
  const TaskId empty = add_collective(graph, direct_all_to_all(4, 0_MB), {compute});
  EXPECT_NEAR(end_s(run(graph), empty, 3), 1e-3, 1e-15);
}

TEST(AnalyticEngine, CountsTheBytesOfEveryLink) {
  TaskGraph graph;
  const TaskId once = add_collective(graph, one_round({{RankId{2}, RankId{3}, 100_MB}}));
  graph.tasks.push_back(graph.tasks[once.index()]);  // the same schedule again
  const Topology topology = ring_of_four();
  const Timeline timeline = execute(EngineKind::kAnalytic, graph, topology);
  for (const LinkId link : path(topology, RankId{2}, RankId{3}))
    EXPECT_EQ(timeline.link_bytes[link.index()], 200_MB);
  EXPECT_EQ(timeline.link_bytes[path(topology, RankId{0}, RankId{1})[1].index()], 0_MB);
}

TEST(Execute, ReturnsNothingForAnEmptyGraph) {
  const Timeline timeline = run({});
  EXPECT_EQ(timeline.num_ranks, 4);
  EXPECT_TRUE(timeline.spans.empty());
  EXPECT_EQ(timeline.makespan, Seconds{0});
}

TEST(ExecuteDeathTest, RejectsATaskThatDependsOnALaterOne) {
  TaskGraph graph;
  add_compute(graph, kMs, {TaskId{0}});
  EXPECT_DEATH((void)run(graph), "depends on task 0");
}

TEST(ExecuteDeathTest, RejectsSlowdownsForTheWrongNumberOfRanks) {
  TaskGraph graph;
  add_compute(graph, kMs, {}, {1.0, 2.0});
  EXPECT_DEATH((void)run(graph), "2 slowdowns for 4 ranks");
}

TEST(ExecuteDeathTest, RejectsAFlowToARankThatIsNotThere) {
  TaskGraph graph;
  add_collective(graph, one_round({{RankId{2}, RankId{4}, 100_MB}}));
  EXPECT_DEATH((void)run(graph), "from rank 2 to 4 of 4");
}

// The host needs 2 ms for each of three tasks of 1 ms: they start at 2, 4 and 6 ms. The last is a
// collective of 100 MB over one link of 100 GB/s: 1 ms. All engines agree.
TEST(Launches, HoldBackWhatIsReady) {
  TaskGraph graph;
  const TaskId first = add_compute(graph, kMs);
  const TaskId second = add_compute(graph, kMs, {first});
  const TaskId send = add_collective(graph, one_round({{RankId{2}, RankId{3}, 100_MB}}), {second});
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    graph.tasks[i].launched = (2.0 * static_cast<double>(i) + 2.0) * kMs;
  for (const EngineKind engine : {EngineKind::kAnalytic, EngineKind::kFluid}) {
    const Timeline timeline = execute(engine, graph, ring_of_four());
    EXPECT_NEAR(start_s(timeline, first, 1), 2e-3, 1e-12);
    EXPECT_NEAR(start_s(timeline, second, 1), 4e-3, 1e-12);
    EXPECT_NEAR(start_s(timeline, send, 2), 6e-3, 1e-12);
    EXPECT_NEAR(timeline.makespan.base(), 7e-3, 1e-11);
  }
}

// Launches of 1 ms beside tasks of 3 ms: the device is never behind the host after the first.
TEST(Launches, RunAheadOfLongTasks) {
  TaskGraph graph;
  for (int i = 0; i < 4; ++i) {
    add_compute(graph, 3 * kMs);
    graph.tasks.back().launched = (i + 1.0) * kMs;
  }
  for (const EngineKind engine : {EngineKind::kAnalytic, EngineKind::kFluid})
    EXPECT_NEAR(execute(engine, graph, ring_of_four()).makespan.base(), 13e-3, 1e-12);
}

TEST(Folding, ShowsOneRankForAllThatDoTheSame) {
  TaskGraph graph;
  const TaskId compute = add_compute(graph, 2 * kMs);
  add_collective(graph, one_round({{RankId{2}, RankId{3}, 100_MB}}), {compute});
  const Timeline all = run(graph);
  const Timeline one = execute(EngineKind::kAnalytic, graph, ring_of_four(), Folding::kOneForAll);
  EXPECT_EQ(one.num_ranks, 1);
  EXPECT_EQ(one.spans.size(), graph.tasks.size());
  EXPECT_EQ(one.makespan, all.makespan);
  EXPECT_EQ(one.link_bytes, all.link_bytes);
  for (std::size_t task = 0; task < graph.tasks.size(); ++task)
    EXPECT_EQ(one.spans[task].end, all.spans[task * 4 + 3].end);
}

TEST(Folding, ShowsAllRanksWhereOneIsSlower) {
  TaskGraph graph;
  add_compute(graph, 2 * kMs, {}, {1.0, 1.5, 1.0, 0.5});
  EXPECT_EQ(execute(EngineKind::kAnalytic, graph, ring_of_four(), Folding::kOneForAll).num_ranks,
            4);
}

}  // namespace
}  // namespace switchyard
