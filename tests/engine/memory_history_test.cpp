#include "sim/engine/memory_history.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "sim/engine/run_memory.hpp"
#include "tests/engine/small_run.hpp"
#include "tests/workload/routed_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

TrainingResult analytic(const TrainingRunSpec& run) {
  return simulate_training(run, EngineKind::kAnalytic);
}

void expect_equal_classes(const MemoryEstimate& history, const MemoryEstimate& estimate,
                          const std::string& what) {
  for (const MemoryClass& each : kMemoryClasses)
    EXPECT_EQ(history.*each.bytes, estimate.*each.bytes) << what << " " << each.name;
}

/// A small MoE model whose rows are permuted, on four GPUs.
TrainingRunSpec permuted_run() {
  TrainingRunSpec run;
  run.system.network =
      ScaleUpSpec{.num_ranks = 4, .port = {.bandwidth = 100_GBps, .latency = 1_us}};
  run.system.device = small_system().device;
  run.system.device.memory_tile = {};
  run.step = permuted_step();
  run.routing.gate.top_k = 2;
  run.routing.router = LearnedRouter{.lognormal_sigma = 1.0};
  run.draws = 3;
  return run;
}

// Everything that stays is there when the forward pass ends, logits included.
TEST(MemoryHistory, PeaksAtTheEstimateWithFixedBuffers) {
  const TrainingResult result = analytic(small_run());
  ASSERT_EQ(result.memory_over_time.size(), 1U);
  const std::vector<MemoryPoint>& history = result.memory_over_time[0];
  expect_equal_classes(peak_by_class(history), result.memory, "fixed");
  EXPECT_EQ(peak_total(history), result.memory.total());
}

TEST(MemoryHistory, GrowsForwardAndShrinksBackward) {
  const std::vector<MemoryPoint> history = analytic(small_run()).memory_over_time.at(0);
  const auto kept = [](const MemoryPoint& point) { return point.held.activations; };
  const auto peak = std::ranges::max_element(history, {}, kept);
  EXPECT_TRUE(std::is_sorted(history.begin(), peak,
                             [&](const auto& a, const auto& b) { return kept(a) < kept(b); }));
  EXPECT_TRUE(std::is_sorted(peak, history.end(),
                             [&](const auto& a, const auto& b) { return kept(a) > kept(b); }));
  EXPECT_EQ(kept(history.back()), 0_B);
}

TEST(MemoryHistory, KeepsTheStateFromTheFirstToTheLastPoint) {
  const TrainingResult result = analytic(small_run());
  const MemoryEstimate state = state_memory(small_run().step);
  for (const MemoryPoint& point : result.memory_over_time.at(0)) {
    EXPECT_EQ(point.held.weights, state.weights);
    EXPECT_EQ(point.held.optimizer, state.optimizer);
    EXPECT_EQ(point.held.gradients, state.gradients);
  }
  EXPECT_EQ(result.memory_over_time[0].back().date, result.timeline.makespan);
}

// What one layer makes again is there beside all layers' inputs, but logits are gone by then, so
// the total peaks below the estimate: at least at the end of the forward pass's value.
TEST(MemoryHistory, WithRecomputationPeaksClassByClass) {
  TrainingRunSpec run = small_run();
  run.step.recompute = Recompute::kFull;
  const TrainingResult result = analytic(run);
  const std::vector<MemoryPoint>& history = result.memory_over_time.at(0);
  EXPECT_GT(result.memory.recomputed, 0_B);
  expect_equal_classes(peak_by_class(history), result.memory, "full");
  EXPECT_LT(peak_total(history), result.memory.total());
  EXPECT_GE(peak_total(history), result.memory.total() - result.memory.recomputed);
}

// The buffers of an all-to-all of routed rows live while it runs: not at the end of the forward
// pass. The fullest rank is that of the estimate.
TEST(MemoryHistory, OfDrawnRowsPeaksClassByClass) {
  for (const int draws : {0, 3}) {
    TrainingRunSpec run = permuted_run();
    run.draws = draws;
    const TrainingResult result = analytic(run);
    const std::vector<MemoryPoint>& history = result.memory_over_time.at(0);
    EXPECT_GT(result.memory.buffers, 0_B);
    expect_equal_classes(peak_by_class(history), result.memory, std::to_string(draws));
    EXPECT_LE(peak_total(history), result.memory.total());
    EXPECT_GE(peak_total(history), result.memory.total() - result.memory.buffers);
  }
}

// With experts in parts one is dispatched while another computes, but a rank's all-to-alls wait for
// each other: no two buffers at once.
TEST(MemoryHistory, OfExpertsInPartsPeaksClassByClass) {
  for (const Recompute recompute : {Recompute::kNone, Recompute::kFull}) {
    TrainingRunSpec run = permuted_run();
    run.draws = 0;
    run.step.recompute = recompute;
    run.step.overlap.all_to_all_chunks = 3;
    const TrainingResult result = analytic(run);
    expect_equal_classes(peak_by_class(result.memory_over_time.at(0)), result.memory, "parts");
  }
}

/// Layers of a small dense decoder on eight GPUs.
TrainingRunSpec pipelined_run(int layers, PipelineScheduleKind kind, int chunks) {
  TrainingRunSpec run;
  run.system.network =
      ScaleUpSpec{.num_ranks = 8, .port = {.bandwidth = 100_GBps, .latency = 1_us}};
  run.system.device = small_system().device;
  run.step.model = decoder_only(
      {.layers = layers, .d_model = 512, .d_ff = 1024, .num_heads = 8, .num_kv_heads = 8});
  run.step.lengths = {.input_tokens = 0, .target_tokens = 256};
  run.step.sequences = 32;
  run.step.microbatch_sequences = 1;
  run.step.partition.data = 2;
  run.step.partition.pipeline = 4;
  run.step.partition.virtual_stages = chunks;
  run.pipeline_schedule = kind;
  run.draws = 0;
  return run;
}

TEST(StageMemoryHistory, PeaksAtTheEstimateOfEachStage) {
  for (const PipelineScheduleKind kind :
       {PipelineScheduleKind::kGpipe, PipelineScheduleKind::kOneForwardOneBackward,
        PipelineScheduleKind::kZeroBubble})
    for (const Recompute recompute : {Recompute::kNone, Recompute::kFull}) {
      TrainingRunSpec run = pipelined_run(8, kind, 1);
      run.step.recompute = recompute;
      const TrainingResult result = analytic(run);
      const std::vector<MemoryEstimate> closed_form = memory_by_stage(run);
      ASSERT_EQ(result.memory_over_time.size(), 4U);
      for (std::size_t stage = 0; stage < 4; ++stage) {
        const std::vector<MemoryPoint>& history = result.memory_over_time[stage];
        const std::string what = pipeline_schedule_name(kind);
        expect_equal_classes(peak_by_class(history), closed_form[stage], what);
        EXPECT_EQ(peak_total(history), closed_form[stage].total()) << what;
        EXPECT_EQ(history.back().held.activations, 0_B) << what;
      }
    }
}

// 13 layers at 8 positions: chunks of one and of two layers, of which those that hold most count.
TEST(StageMemoryHistory, OfSeveralChunksPeaksClassByClass) {
  for (const PipelineScheduleKind kind :
       {PipelineScheduleKind::kInterleaved, PipelineScheduleKind::kDualPipe}) {
    const TrainingRunSpec run =
        pipelined_run(13, kind, kind == PipelineScheduleKind::kInterleaved ? 2 : 1);
    const TrainingResult result = analytic(run);
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const std::vector<MemoryPoint>& history = result.memory_over_time.at(stage);
      const MemoryEstimate& estimate = result.pipeline->memory[stage];
      expect_equal_classes(peak_by_class(history), estimate, pipeline_schedule_name(kind));
      EXPECT_LE(peak_total(history), estimate.total());
      EXPECT_GE(peak_total(history), estimate.total() - estimate.logits - estimate.recomputed);
    }
  }
}

}  // namespace
}  // namespace switchyard
