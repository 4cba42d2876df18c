#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "sim/engine/folded_times.hpp"
#include "sim/engine/training_run.hpp"
#include "sim/workload/partition/presets.hpp"
#include "tests/topologies/torus_shapes.hpp"
#include "tests/workload/routed_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

/// permuted_step() on four GPUs, perfectly balanced.
TrainingRunSpec balanced_run() {
  TrainingRunSpec run;
  run.system.network = ScaleUpSpec{.num_ranks = 4, .port = {.bandwidth = 20_GBps, .latency = 1_us}};
  run.system.device.peak_bfloat16 = 10_TFLOPps;
  run.system.device.memory_bandwidth = 1000_GBps;
  run.system.device.memory_capacity = 1_GB;
  run.system.device.operator_overhead = 1_us;
  run.step = permuted_step();
  run.routing.gate.top_k = 2;
  run.draws = 0;
  return run;
}

TrainingResult analytic(const TrainingRunSpec& run) {
  return simulate_training(run, EngineKind::kAnalytic);
}

std::map<OperatorClass, ClassShare> by_class(const TrainingResult& result) {
  std::map<OperatorClass, ClassShare> shares;
  for (const ClassShare& share : result.breakdown) shares[share.operator_class] = share;
  return shares;
}

// Ranks that do the same take the same time: one of them stands for all.
TEST(FoldedEnds, AreTheEndsOfEveryRank) {
  for (const Partition& partition :
       {expert_data_partition(4), data_partition(4), Partition{.data = 2, .tensor = 2}}) {
    TrainingRunSpec run = balanced_run();
    run.step.partition = partition;
    run.step.partition.sequence_parallel = partition.tensor > 1;
    run.step.overlap = {.gradients = true, .all_to_all_chunks = 2};
    const Topology topology = build_topology(run.system.network);
    const TaskGraph tasks = price_step(build_training_step(run.step), run.system, topology, 2);
    const Timeline unfolded = execute(EngineKind::kAnalytic, tasks, topology);
    const std::vector<Seconds> ends = folded_ends(tasks.tasks, schedule_times(tasks, topology));
    for (std::size_t i = 0; i < unfolded.spans.size(); ++i)
      ASSERT_EQ(unfolded.spans[i].end, ends[i / 4]) << tasks.tasks[i / 4].name;
  }
}

// Nothing overlaps: the shares add up to the step, and a class that were free would save its time.
TEST(Breakdown, SavesAllOfAClassWhereNothingOverlaps) {
  const TrainingResult result = analytic(balanced_run());
  Seconds sum;
  for (const ClassShare& share : result.breakdown) {
    sum += share.time;
    EXPECT_EQ(share.hidden, Seconds{});
    EXPECT_NEAR(share.saved_if_free / share.time, 1.0, 1e-9) << class_name(share.operator_class);
  }
  EXPECT_NEAR(sum / result.step_time, 1.0, 1e-9);
}

TEST(Overlap, HidesTheSumsOfGradientsBehindTheBackwardPass) {
  TrainingRunSpec run = balanced_run();
  const TrainingResult apart = analytic(run);
  run.step.overlap.gradients = true;
  const TrainingResult beside = analytic(run);
  const ClassShare before = by_class(apart).at(OperatorClass::kAllReduce);
  const ClassShare after = by_class(beside).at(OperatorClass::kAllReduce);
  EXPECT_GT(after.hidden, Seconds{});
  EXPECT_NEAR((apart.step_time - beside.step_time) / (before.time - after.time), 1.0, 1e-6);
  EXPECT_LT(after.saved_if_free, before.saved_if_free);
  // As many bytes, in one bucket for each layer.
  EXPECT_NEAR(after.sent / before.sent, 1.0, 1e-12);
}

TEST(Overlap, HidesExchangesBehindExpertsInParts) {
  TrainingRunSpec run = balanced_run();
  const TrainingResult whole = analytic(run);
  run.step.overlap.all_to_all_chunks = 2;
  const TrainingResult parts = analytic(run);
  const ClassShare before = by_class(whole).at(OperatorClass::kAllToAll);
  const ClassShare after = by_class(parts).at(OperatorClass::kAllToAll);
  EXPECT_NEAR(after.sent / before.sent, 1.0, 1e-12);
  EXPECT_GT(after.hidden, Seconds{});
  EXPECT_LT(after.time, before.time);
  // As much is computed.
  EXPECT_NEAR(by_class(parts).at(OperatorClass::kExperts).flop /
                  by_class(whole).at(OperatorClass::kExperts).flop,
              1.0, 1e-12);
}

// Parts of a draw's rows take the memory of all of them, but for rounding each part up.
TEST(Overlap, KeepsTheMemoryOfADraw) {
  TrainingRunSpec run = balanced_run();
  run.draws = 1;
  const Bytes whole = analytic(run).memory.activations;
  run.step.overlap.all_to_all_chunks = 4;
  EXPECT_NEAR(analytic(run).memory.activations / whole, 1.0, 0.01);
}

// Half of the slots that perfect balance needs: half of the experts' work is not done.
TEST(Mfu, CreditsWithoutDrawsWhatPerfectBalanceKeeps) {
  TrainingRunSpec run = balanced_run();
  const auto work = [](const TrainingRunSpec& of) {
    const TrainingResult result = analytic(of);
    return result.mfu * result.step_time.base();
  };
  run.step.moe.dropless = true;
  const double all = work(run);
  run.step.moe = {.capacity_factor = 0.5, .group_tokens = 1'000'000, .capacity_times_top_k = true};
  const Flop experts = static_cast<double>(run.step.sequences) *
                       expert_training_flop(run.step.model, run.step.model.num_decoder_layers,
                                            run.step.lengths.target_tokens);
  const double peak = (4.0 * run.system.device.peak_bfloat16).base();
  EXPECT_NEAR((all - work(run)) * peak / (0.5 * experts.base()), 1.0, 0.01);
}

TEST(Overlap, GathersWeightsAheadWithZero3) {
  TrainingRunSpec run = balanced_run();
  run.step.partition = data_partition(4);
  run.step.partition.zero_stage = 3;
  const TrainingResult ahead = analytic(run);
  run.step.overlap.weights = false;
  const TrainingResult waiting = analytic(run);
  EXPECT_LT(ahead.step_time, waiting.step_time);
  EXPECT_NEAR(by_class(ahead).at(OperatorClass::kGather).sent /
                  by_class(waiting).at(OperatorClass::kGather).sent,
              1.0, 1e-12);
}

// Full recomputation runs every forward node again: a third more products than three passes have.
TEST(Recompute, RepeatsTheForwardPass) {
  TrainingRunSpec run = balanced_run();
  const TrainingResult kept = analytic(run);
  run.step.recompute = Recompute::kFull;
  const TrainingResult repeated = analytic(run);
  const auto experts = [](const TrainingResult& result) {
    return by_class(result).at(OperatorClass::kExperts).flop;
  };
  EXPECT_NEAR(experts(repeated) / experts(kept), 4.0 / 3.0, 1e-12);
  EXPECT_EQ(by_class(repeated).at(OperatorClass::kAllToAll).sent,
            1.5 * by_class(kept).at(OperatorClass::kAllToAll).sent);  // 4 become 6
  EXPECT_LT(repeated.memory.activations, kept.memory.activations);
  EXPECT_GT(repeated.memory.recomputed, Bytes{0});
  // Work done twice is credited once.
  EXPECT_DOUBLE_EQ(repeated.mfu * repeated.step_time.base(), kept.mfu * kept.step_time.base());
}

// Launches that are slower than every kernel decide the step: without them it would be as long as
// without a host, and the classes keep their own times.
TEST(Launches, AreWhatWouldHelpMostWhereTheyDecide) {
  TrainingRunSpec run = balanced_run();
  const TrainingResult free = analytic(run);
  run.system.device.host_launch.value = 100_us;
  const TrainingResult launched = analytic(run);
  EXPECT_GT(launched.step_time, 1.5 * free.step_time);
  EXPECT_NEAR((launched.step_time - launched.saved_by_launches).base(), free.step_time.base(),
              1e-12);
  EXPECT_NEAR(by_class(launched)[OperatorClass::kExperts].time.base(),
              by_class(free)[OperatorClass::kExperts].time.base(), 1e-12);
  EXPECT_EQ(free.saved_by_launches, Seconds{});
}

}  // namespace
}  // namespace switchyard
