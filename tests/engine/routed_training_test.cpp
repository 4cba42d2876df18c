#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cost_models/compute.hpp"
#include "sim/engine/training_run.hpp"
#include "sim/workload/partition/presets.hpp"
#include "tests/workload/routed_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

/// permuted_step() on four GPUs of a switch, with tiles of 64 rows.
TrainingRunSpec small_run() {
  TrainingRunSpec run;
  run.system.name = "four";
  run.system.network =
      ScaleUpSpec{.num_ranks = 4, .port = {.bandwidth = 100_GBps, .latency = 1_us}};
  run.system.device = {.name = "gpu",
                       .peak_bfloat16 = 10_TFLOPps,
                       .memory_bandwidth = 1000_GBps,
                       .memory_capacity = 1_GB,
                       .memory_usable = 1.0,
                       .matmul_tile = {.rows = 64, .minimum_rows = 64},
                       .memory_tile = {},
                       .matmul_efficiency = {},
                       .memory_efficiency = {},
                       .operator_overhead = 1_us};
  run.step = permuted_step();
  run.routing.gate.top_k = 2;
  run.draws = 12;
  return run;
}

TrainingRunSpec lognormal_run(double sigma) {
  TrainingRunSpec run = small_run();
  run.routing.router = LearnedRouter{.lognormal_sigma = sigma};
  return run;
}

TrainingResult analytic(const TrainingRunSpec& run) {
  return simulate_training(run, EngineKind::kAnalytic);
}

TaskGraph priced(const TrainingRunSpec& run, std::span<const LayerRows> routing) {
  return price_step(build_training_step(run.step), run.system, build_topology(run.system.network),
                    1, routing);
}

const Task& task_named(const TaskGraph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.tasks, "decoder.1.moe." + name, &Task::name);
  EXPECT_NE(found, graph.tasks.end()) << name;
  return *found;
}

double duration_on(const Task& task, std::size_t rank) {
  return (task.rank_slowdown.empty() ? 1.0 : task.rank_slowdown[rank]) * task.duration.base();
}

/// Even rows but for rank 0's two experts, which receive `factor` times as many from every rank.
LayerRows rows_with_a_hot_rank(std::int64_t factor) {
  TokenCounts kept = TokenCounts::Constant(4, 8, 32);
  kept.leftCols(2) *= factor;
  return layer_rows(draw_that_keeps(kept), contiguous_placement(8, 4));
}

TEST(PriceRoutedStep, EqualsTheBalancedFormForEvenRows) {
  const TrainingRunSpec run = small_run();
  const std::vector<LayerRows> even = {even_rows(4, 8, 32)};  // 256 choices of a rank over 8
  const Topology topology = build_topology(run.system.network);
  for (const EngineKind engine : {EngineKind::kAnalytic, EngineKind::kFluid}) {
    const Seconds drawn = execute(engine, priced(run, even), topology).makespan;
    const Seconds balanced = execute(engine, priced(run, {}), topology).makespan;
    EXPECT_NEAR(drawn / balanced, 1.0, 1e-9) << engine_name(engine);
  }
  for (const Task& task : priced(run, even).tasks) EXPECT_TRUE(task.rank_slowdown.empty());
}

TEST(PriceRoutedStep, GivesAHotRankTheTimeOfItsRows) {
  const TrainingRunSpec run = small_run();
  const StepGraph graph = build_training_step(run.step);
  const TaskGraph tasks = priced(run, std::vector{rows_with_a_hot_rank(2)});
  for (const char* part :
       {"experts.wi.forward", "experts.wo.input_gradient", "experts.wi.weight_gradient"}) {
    const Operator op = operators(graph, [&](const Operator& o) {
                          return o.name == std::string{"decoder.1.moe."} + part;
                        }).at(0);
    Operator twice = op;
    set_rows(twice, 2 * 128);  // two experts with 4 * 32 rows each, doubled
    const Task& task = task_named(tasks, part);
    EXPECT_NEAR(duration_on(task, 0) / operator_time(twice, run.system.device).base(), 1.0, 1e-12)
        << part;
    for (const std::size_t rank : {1U, 2U, 3U})
      EXPECT_NEAR(duration_on(task, rank) / operator_time(op, run.system.device).base(), 1.0, 1e-12)
          << part;
  }
  // Products decide in wi: two experts, 4 tiles of 64 rows each instead of 2; 1 us for the launch.
  const double tile = 2.0 * 64 * 256 * 512 / 10e12;
  EXPECT_NEAR(duration_on(task_named(tasks, "experts.wi.forward"), 0), 2 * 4 * tile + 1e-6, 1e-15);
  EXPECT_NEAR(duration_on(task_named(tasks, "experts.wi.forward"), 1), 2 * 2 * tile + 1e-6, 1e-15);
}

/// Bytes from each rank (row) to each other in a task's schedule.
Eigen::MatrixXd bytes_of(const TaskGraph& graph, const Task& task) {
  Eigen::MatrixXd bytes = Eigen::MatrixXd::Zero(4, 4);
  for (const Round& round : graph.schedules[static_cast<std::size_t>(task.schedule)].rounds)
    for_each_message(round, 4, [&](const Flow& flow) {
      bytes(flow.source.value(), flow.destination.value()) += flow.bytes.base();
    });
  return bytes;
}

TEST(PriceRoutedStep, SendsTheKeptChoicesThatLeaveTheirRank) {
  const TrainingRunSpec run = small_run();
  TokenCounts kept(4, 8);
  for (int source = 0; source < 4; ++source)
    for (int expert = 0; expert < 8; ++expert) kept(source, expert) = 10 * source + expert;
  const std::vector routing = {layer_rows(draw_that_keeps(kept), contiguous_placement(8, 4))};
  const TaskGraph tasks = priced(run, routing);
  Eigen::MatrixXd there(4, 4);  // d_model 256 in bfloat16; experts 2 r and 2 r + 1 on rank r
  for (int source = 0; source < 4; ++source)
    for (int rank = 0; rank < 4; ++rank)
      there(source, rank) =
          source == rank ? 0.0 : (2 * 10 * source + (2 * rank) + (2 * rank + 1)) * 256 * 2.0;
  for (const char* part : {"dispatch.forward", "combine.backward"})
    EXPECT_EQ(bytes_of(tasks, task_named(tasks, part)), there) << part;
  for (const char* part : {"combine.forward", "dispatch.backward"})
    EXPECT_EQ(bytes_of(tasks, task_named(tasks, part)), there.transpose()) << part;
  // One schedule for each direction, and the all-reduce.
  EXPECT_EQ(tasks.schedules.size(), 3U);
  for (const CollectiveSchedule& schedule : tasks.schedules)
    EXPECT_GT(schedule.proven_bound, Seconds{0});
}

TEST(SimulateRoutedTraining, IsADistributionOverDraws) {
  const TrainingResult result = analytic(lognormal_run(0.5));
  const Percentiles& times = result.step_time_over_draws;
  EXPECT_LT(times.p5, times.p50);
  EXPECT_LT(times.p50, times.p95);
  // The draw shown is the lower median of twelve: at most the midpoint of the two in the middle.
  EXPECT_LE(result.step_time.base(), times.p50);
  EXPECT_GE(result.step_time.base(), times.p5);
  EXPECT_EQ(simulate_training(lognormal_run(0.5), EngineKind::kAnalytic).step_time,
            result.step_time);
}

TEST(SimulateRoutedTraining, TakesLongerTheMoreUnevenTheRouting) {
  double previous = 0;
  for (const double sigma : {0.0, 0.4, 0.8, 1.6}) {
    const double median = analytic(lognormal_run(sigma)).step_time_over_draws.p50;
    EXPECT_GT(median, previous) << sigma;
    previous = median;
  }
  TrainingRunSpec balanced = small_run();
  balanced.draws = 0;
  EXPECT_LT(analytic(balanced).step_time.base(), analytic(lognormal_run(0.4)).step_time.base());
}

TEST(SimulateRoutedTraining, StaysWithinThePercentilesOfFewDraws) {
  for (const int draws : {2, 3, 4, 5}) {
    TrainingRunSpec run = lognormal_run(0.5);
    run.draws = draws;
    const TrainingResult result = analytic(run);
    EXPECT_LT(result.step_time_over_draws.p5, result.step_time_over_draws.p95) << draws;
    EXPECT_LE(result.step_time_over_draws.p5, result.step_time.base()) << draws;
    EXPECT_GE(result.step_time_over_draws.p95, result.step_time.base()) << draws;
  }
}

TEST(SimulateRoutedTraining, ShowsTheOnlyDraw) {
  TrainingRunSpec run = lognormal_run(0.5);
  run.draws = 1;
  const TrainingResult result = analytic(run);
  EXPECT_EQ(result.step_time_over_draws.p5, result.step_time.base());
  EXPECT_EQ(result.step_time_over_draws.p95, result.step_time.base());
  EXPECT_EQ(result.memory_over_draws.p50, result.memory.total().base());
}

TEST(SimulateRoutedTraining, IsPerfectlyBalancedWithoutDraws) {
  TrainingRunSpec run = lognormal_run(1.0);
  run.draws = 0;
  const TrainingResult result = analytic(run);
  EXPECT_TRUE(result.routing.empty());
  EXPECT_NEAR(result.examples_rate / predicted_examples_rate(run), 1.0, 1e-12);
}

// What ranks have in the all-to-alls, all of a step: 2 microbatches, 4 exchanges of one layer. In
// balance each rank sends 3 of 4 parts of 256 choices of 512 B. A draw of a uniform router differs
// by less than its busiest rank may: all of its choices.
TEST(SimulateRoutedTraining, SendsAboutWhatBalanceSays) {
  TrainingRunSpec run = small_run();
  run.draws = 0;
  const Bytes balanced{2 * 4 * 0.75 * 256 * 512};
  EXPECT_NEAR(analytic(run).all_to_all_sent / balanced, 1.0, 1e-12);
  run.draws = 5;
  const Bytes drawn = analytic(run).all_to_all_sent;  // of the rank that sends most
  EXPECT_GT(drawn, balanced);
  EXPECT_LT(drawn, Bytes{2 * 4 * 256 * 512});
}

TEST(SimulateRoutedTraining, DoesNotSendWhatIsDropped) {
  TrainingRunSpec run = lognormal_run(1.0);
  const TrainingResult dropless = analytic(run);
  run.step.moe.dropless = false;
  run.step.moe.group_tokens = 128;
  run.step.moe.capacity_times_top_k = true;  // 32 slots for a mean of 32
  const TrainingResult dropping = analytic(run);
  EXPECT_EQ(dropless.routing.at(0).dropped_fraction.p95, 0.0);
  EXPECT_GT(dropping.routing.at(0).dropped_fraction.p5, 0.1);
  EXPECT_LT(dropping.all_to_all_sent, dropless.all_to_all_sent);
  EXPECT_LT(dropping.step_time, dropless.step_time);
  EXPECT_LT(dropping.memory.total(), dropless.memory.total());
  // And it is not credited: FLOPs done in a second fall by more than the time.
  EXPECT_LT(dropping.mfu * dropping.step_time.base(), dropless.mfu * dropless.step_time.base());
}

TEST(SimulateRoutedTraining, PadsNothing) {
  TrainingRunSpec run = small_run();
  run.step.moe.dropless = false;
  run.step.moe.group_tokens = 128;
  run.step.moe.capacity_factor = 8.0;  // 128 slots: no choice is ever dropped
  const Seconds with_capacity = analytic(run).step_time;
  run.step.moe.dropless = true;
  EXPECT_EQ(analytic(run).step_time, with_capacity);
}

TEST(SimulateRoutedTraining, HasNoAllToAllOnOneRank) {
  TrainingRunSpec run = small_run();
  run.system.network = ScaleUpSpec{.num_ranks = 1, .port = {.bandwidth = 1_GBps, .latency = 1_us}};
  run.step.partition = expert_data_partition(1);
  run.step.sequences = 8;
  const TrainingResult result = analytic(run);
  EXPECT_EQ(result.all_to_all_sent, Bytes{0});
  EXPECT_EQ(result.idle, Seconds{0});
  for (const ClassShare& share : result.breakdown)
    EXPECT_NE(share.operator_class, OperatorClass::kAllToAll);
}

TEST(SimulateRoutedTraining, NeedsMoreMemoryTheMoreUnevenTheRouting) {
  double previous = 0;
  for (const double sigma : {0.0, 0.5, 1.0}) {
    const TrainingResult result = analytic(lognormal_run(sigma));
    EXPECT_GT(result.memory_over_draws.p95, previous) << sigma;
    EXPECT_LE(result.memory_over_draws.p50, result.memory_over_draws.p95);
    previous = result.memory_over_draws.p95;
  }
}

TEST(SimulateRoutedTraining, FitsInSomeDraws) {
  TrainingRunSpec run = lognormal_run(1.0);
  const Percentiles memory = analytic(run).memory_over_draws;
  // The median is at least six of the twelve draws and below the 95th percentile.
  ASSERT_LT(memory.p50, memory.p95);
  run.system.device.memory_capacity = Bytes{memory.p50};
  EXPECT_GE(analytic(run).fits_probability, 0.5);
  EXPECT_LT(analytic(run).fits_probability, 1.0);
  run.system.device.memory_capacity = Bytes{2 * memory.p95};
  EXPECT_EQ(analytic(run).fits_probability, 1.0);
}

TEST(SimulateRoutedTraining, BreaksTheWholeStepDown) {
  const TrainingResult result = analytic(lognormal_run(1.0));
  Seconds sum = result.idle;
  for (const ClassShare& share : result.breakdown) sum += share.time;
  EXPECT_NEAR(sum / result.step_time, 1.0, 1e-12);
}

TEST(SimulateRoutedTraining, ReportsTheRoutingOfItsLayers) {
  const TrainingResult result = analytic(lognormal_run(0.5));
  ASSERT_EQ(result.routing.size(), 1U);
  const StackRouting& routing = result.routing[0];
  EXPECT_EQ(routing.padding_fraction.p95, 0.0);  // dropless
  EXPECT_EQ(routing.choices_per_token.p50, 2.0);
  EXPECT_EQ(routing.experts_touched.p50, 8.0);  // 1024 choices of 8 experts
  EXPECT_GE(routing.rank_imbalance.p5, 1.0);
  // Two experts share a rank: together they are at most as far from the mean as the busier one.
  EXPECT_LE(routing.rank_imbalance.p95, routing.expert_imbalance.p95);
}

// Each rank has a replica of every expert, so its choices stay, and all ranks have equally many.
TEST(SimulateRoutedTraining, SendsNoTokensWhereEveryRankHoldsEveryExpert) {
  TrainingRunSpec run = lognormal_run(1.0);
  const TrainingResult apart = analytic(run);
  run.step.placement.num_ranks = 4;
  run.step.placement.ranks_of.assign(8, {RankId{0}, RankId{1}, RankId{2}, RankId{3}});
  const TrainingResult replicated = analytic(run);
  EXPECT_GT(apart.routing.at(0).rank_imbalance.p50, 1.0);
  EXPECT_EQ(replicated.routing.at(0).rank_imbalance.p95, 1.0);
  EXPECT_EQ(replicated.all_to_all_sent, Bytes{0});
  // Four times the experts, each of three matrices of 256 x 512: 2 and 8 on a rank. Master weights
  // of 4 B with copies of 2 B.
  EXPECT_EQ(replicated.memory.weights - apart.memory.weights, Bytes{6.0 * 6 * 3 * 256 * 512});
  // Their gradients, of 4 B, are added up beside those of the dense weights; 3/4 of a buffer twice.
  const auto all_reduced = [](const TrainingResult& result) {
    return std::ranges::find(result.breakdown, OperatorClass::kAllReduce,
                             &ClassShare::operator_class)
        ->sent;
  };
  EXPECT_NEAR((all_reduced(replicated) - all_reduced(apart)).base(),
              2 * 0.75 * 8 * 3 * 256 * 512 * 4.0, 1.0);
}

// Expert 0 is chosen by four of five tokens; its rank alone receives half of all rows.
TEST(SimulateRoutedTraining, EvensOutWithReplicasOfAHotExpert) {
  TrainingRunSpec run = small_run();
  run.routing.router = FixedRouter{GivenPopularity{.weights = {8, 1, 1, 1, 1, 1, 1, 1}}};
  const TrainingResult alone = analytic(run);
  run.step.placement = contiguous_placement(8, 4);
  run.step.placement.ranks_of[0] = {RankId{0}, RankId{1}, RankId{2}, RankId{3}};
  const TrainingResult replicated = analytic(run);
  EXPECT_GT(alone.routing.at(0).rank_imbalance.p50, 1.5);
  EXPECT_LT(replicated.routing.at(0).rank_imbalance.p50, 1.25);
  EXPECT_LT(replicated.microbatch_time, alone.microbatch_time);
  EXPECT_LT(replicated.all_to_all_sent, alone.all_to_all_sent);
}

TEST(SimulateRoutedTraining, TakesTheSameTimeInEveryEngineThatShares) {
  if (!has_simgrid()) GTEST_SKIP() << "this build has no SimGrid engine";
  TrainingRunSpec run = lognormal_run(0.8);
  run.draws = 2;
  const Seconds fluid = simulate_training(run, EngineKind::kFluid).step_time;
  const Seconds simgrid = simulate_training(run, EngineKind::kSimGrid).step_time;
  EXPECT_NEAR(fluid / simgrid, 1.0, 1e-6);
}

TEST(SimulateRoutedTraining, DoesNotDependOnDrawsInFixedBuffers) {
  TrainingRunSpec run = lognormal_run(1.0);
  run.step.moe.dropless = false;
  run.step.lowering.dispatch = DispatchKind::kOneHot;
  const TrainingResult drawn = analytic(run);
  EXPECT_EQ(drawn.step_time_over_draws.p5, drawn.step_time.base());
  EXPECT_EQ(drawn.step_time_over_draws.p95, drawn.step_time.base());
  run.draws = 0;
  EXPECT_EQ(analytic(run).step_time, drawn.step_time);
}

}  // namespace
}  // namespace switchyard
