#include "sim/engine/pipelined_training.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "sim/engine/pipeline_chunks.hpp"
#include "sim/engine/run_memory.hpp"
#include "sim/workload/held_weights.hpp"
#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

/// Eight layers of a small dense decoder on eight GPUs of a switch, one sequence a microbatch.
TrainingRunSpec run_of(const Partition& partition) {
  TrainingRunSpec run;
  run.system.network =
      ScaleUpSpec{.num_ranks = 8, .port = {.bandwidth = 100_GBps, .latency = 1_us}};
  run.system.device.peak_bfloat16 = 10_TFLOPps;
  run.system.device.memory_bandwidth = 1000_GBps;
  run.system.device.memory_capacity = 1_GB;
  run.system.device.operator_overhead = 1_us;
  run.step.model =
      decoder_only({.layers = 8, .d_model = 512, .d_ff = 1024, .num_heads = 8, .num_kv_heads = 8});
  run.step.model.vocabulary = 1000;
  run.step.lengths = {.input_tokens = 0, .target_tokens = 256};
  run.step.sequences = 32;
  run.step.microbatch_sequences = 1;
  run.step.partition = partition;
  run.draws = 0;
  return run;
}

TrainingResult analytic(const TrainingRunSpec& run) {
  return simulate_training(run, EngineKind::kAnalytic);
}

TEST(PipelineLayers, AreAsEqualAsTheyGoAndSpareTheEnds) {
  ModelSpec model = decoder_only({.layers = 10});
  const std::vector<LayerRange> ranges = pipeline_layers(model, 4);
  std::vector<int> counts;
  for (const LayerRange& range : ranges) counts.push_back(range.count);
  EXPECT_EQ(counts, (std::vector<int>{2, 3, 3, 2}));
  EXPECT_EQ(ranges.back().first + ranges.back().count, 10);
}

// With one microbatch nothing overlaps: the step is every stage's forward and backward pass, the
// hops between them there and back, and the longest update.
TEST(PipelinedTraining, OfOneMicrobatchRunsStageAfterStage) {
  TrainingRunSpec run = run_of({.data = 2, .pipeline = 4});
  run.step.sequences = 2;
  const Topology topology = build_topology(run.system.network);
  Seconds expected;
  Seconds update;
  for (const LayerRange& layers : pipeline_layers(run.step.model, 4)) {
    TrainingStepSpec part = run.step;
    part.layers = layers;
    const PipelineChunk chunk =
        execute_chunk(part, run.system, topology, EngineKind::kAnalytic, {});
    expected += chunk.times.forward + chunk.times.backward();
    update = std::max(update, chunk.update);
  }
  const std::vector<HopTimes> hops = hop_times(run.step, run.system, topology);
  for (int stage = 0; stage < 3; ++stage)
    expected += hops[static_cast<std::size_t>(stage)].forward +
                hops[static_cast<std::size_t>(stage)].backward;
  EXPECT_NEAR(analytic(run).step_time / (expected + update), 1.0, 1e-12);
}

// A host that needs 100 us for each operator decides every pass; the classes keep their own times,
// and without launches the passes would take what they take without a host.
TEST(PipelinedTraining, ChargesLaunchesToNoClass) {
  TrainingRunSpec run = run_of({.data = 2, .pipeline = 4});
  const TrainingResult free = analytic(run);
  run.system.device.host_launch.value = 100_us;
  const TrainingResult launched = analytic(run);
  EXPECT_GT(launched.step_time, 2.0 * free.step_time);
  ASSERT_EQ(launched.breakdown.size(), free.breakdown.size());
  for (std::size_t i = 0; i < free.breakdown.size(); ++i)
    EXPECT_NEAR(launched.breakdown[i].time.base(), free.breakdown[i].time.base(), 1e-9);
  EXPECT_NEAR(launched.pipeline->run.makespan.base() - launched.saved_by_launches.base(),
              free.pipeline->run.makespan.base(), 1e-9);
}

// Layers with and without a window are different work, whatever else they share: with one layer on
// each of 8 stages every second stage is faster.
TEST(PipelinedTraining, TellsLayersWithAWindowApart) {
  TrainingRunSpec run = run_of({.pipeline = 8});
  run.step.lowering.fused_attention = true;
  run.step.model.attention_window = 16;
  run.step.model.window_period = 2;
  const std::vector<StageRun> stages = analytic(run).pipeline->run.stages;
  EXPECT_LT(stages[2].busy, stages[3].busy);
  EXPECT_EQ(stages[2].busy, stages[4].busy);
}

// 256 tokens of 512 bfloat16 values are 262,144 B: 2.6 us at 100 GB/s, and 1 us of latency
// at each of the two ports.
TEST(PipelinedTraining, SendsTheStreamFromStageToStage) {
  const TrainingRunSpec run = run_of({.data = 2, .pipeline = 4});
  const auto hops = hop_times(run.step, run.system, build_topology(run.system.network));
  EXPECT_NEAR(hops[0].forward.base(), 262144 / 100e9 + 2e-6, 1e-12);
}

TEST(PipelinedTraining, HasSmallerBubblesWithMoreMicrobatchesAndMoreChunks) {
  const auto bubble = [](std::int64_t sequences, int chunks) {
    TrainingRunSpec run = run_of({.data = 2, .pipeline = 4, .virtual_stages = chunks});
    run.step.sequences = sequences;
    return analytic(run).pipeline->run.bubble_fraction;
  };
  EXPECT_LT(bubble(64, 1), bubble(16, 1));
  EXPECT_LT(bubble(16, 2), bubble(16, 1));
}

// What the event simulation counts in memory is what the closed form says, for each schedule.
TEST(PipelinedTraining, PeaksAtTheMemoryOfTheClosedForm) {
  for (const PipelineScheduleKind kind :
       {PipelineScheduleKind::kGpipe, PipelineScheduleKind::kOneForwardOneBackward,
        PipelineScheduleKind::kInterleaved, PipelineScheduleKind::kZeroBubble,
        PipelineScheduleKind::kDualPipe}) {
    TrainingRunSpec run = run_of({.data = 2, .pipeline = 4});
    if (kind == PipelineScheduleKind::kInterleaved) run.step.partition.virtual_stages = 2;
    run.pipeline_schedule = kind;
    const TrainingResult result = analytic(run);
    const std::vector<MemoryEstimate> expected = memory_by_stage(run);
    ASSERT_EQ(result.pipeline->memory.size(), expected.size());
    for (std::size_t stage = 0; stage < expected.size(); ++stage)
      EXPECT_EQ(result.pipeline->memory[stage].total(), expected[stage].total())
          << pipeline_schedule_name(kind) << " stage " << stage;
    EXPECT_EQ(result.memory.total(), fullest(expected).total());
  }
}

// Twice as many stages hold half of the layers each: 1F1B keeps 4 microbatches of 2 layers instead
// of 2 of 4 on the first stage, so activations stay; weights halve but for the tables at the ends.
TEST(PipelinedTraining, SplitsWeightsAndKeepsActivations) {
  const auto first = [](int stages) {
    return memory_by_stage(run_of({.data = 8 / stages, .pipeline = stages})).front();
  };
  TrainingStepSpec layers = run_of({.data = 2, .pipeline = 4}).step;
  layers.layers = {.first = 2, .count = 2};
  const double two_layers = held_weights(layers).dense;
  EXPECT_EQ(first(2).weights - first(4).weights, Bytes{two_layers * 6.0});
  EXPECT_NEAR(first(2).activations / first(4).activations, 1.0, 0.05);  // but for the embedding
}

// One microbatch through equal passes: a class that were free would save its time on every stage,
// here all of attention (forward and backward) of four stages of two layers each.
TEST(PipelinedTraining, SaysWhatAClassWouldSave) {
  TrainingRunSpec run = run_of({.data = 2, .pipeline = 4});
  run.step.sequences = 2;
  const TrainingResult result = analytic(run);
  const auto attention =
      std::ranges::find(result.breakdown, OperatorClass::kAttention, &ClassShare::operator_class);
  ASSERT_NE(attention, result.breakdown.end());
  EXPECT_NEAR(attention->saved_if_free / attention->time, 4.0, 1e-9);
}

// Whatever overlaps or straggles, the shares and the idle time are the step.
TEST(PipelinedTraining, AddsUpToTheStep) {
  for (const PipelineScheduleKind kind :
       {PipelineScheduleKind::kOneForwardOneBackward, PipelineScheduleKind::kDualPipe}) {
    for (const double slowdown : {1.0, 2.0}) {
      TrainingRunSpec run = run_of({.tensor = 2, .pipeline = 4});
      run.step.partition.sequence_parallel = true;
      run.pipeline_schedule = kind;
      run.stragglers.stage_slowdown.assign(4, slowdown);
      const TrainingResult result = analytic(run);
      Seconds sum = result.idle;
      for (const ClassShare& share : result.breakdown) sum += share.time;
      EXPECT_NEAR(sum / result.step_time, 1.0, 1e-9) << pipeline_schedule_name(kind);
    }
  }
}

TEST(PipelinedTraining, IsSlowedByItsSlowestStage) {
  TrainingRunSpec run = run_of({.data = 2, .pipeline = 4});
  const Seconds even = analytic(run).step_time;
  run.stragglers.stage_slowdown = {1.0, 1.5, 1.0, 1.0};
  const TrainingResult slow = analytic(run);
  // At least the slow stage's own work: 16 microbatches half as long again.
  EXPECT_GT(slow.step_time, even);
  EXPECT_GE(slow.step_time, slow.pipeline->run.stages[1].busy);
}

// c = 10, m = 2, a fifth of the units: 10 + 0.2 * 2; m = 20 hides all of 10 / 0.8 = 12.5.
TEST(OverlappedTime, TakesUnitsFromTheComputation) {
  EXPECT_NEAR(overlapped_time(10_us, 2_us, 0.2).base(), 10.4e-6, 1e-18);
  EXPECT_EQ(overlapped_time(10_us, 20_us, 0.2), 20_us);
  EXPECT_EQ(overlapped_time(10_us, 2_us, 0.0), 10_us);
}

TEST(MemoryRemedies, FitAndAreSingleChanges) {
  TrainingRunSpec run = run_of({.data = 8});
  run.step.sequences = 64;
  run.step.microbatch_sequences = 8;
  run.system.device.memory_capacity = 0.7 * fullest(memory_by_stage(run)).total();
  const std::vector<MemoryRemedy> remedies = memory_remedies(run);
  ASSERT_FALSE(remedies.empty());
  for (const MemoryRemedy& remedy : remedies)
    EXPECT_LE(remedy.total, run.system.device.memory_capacity) << remedy.change;
  run.system.device.memory_capacity = 1_B;
  EXPECT_TRUE(memory_remedies(run).empty());
}

}  // namespace
}  // namespace switchyard
