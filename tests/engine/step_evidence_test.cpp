#include "sim/engine/step_evidence.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "tests/cost_models/measured_kernels.hpp"
#include "tests/engine/small_run.hpp"

namespace switchyard {
namespace {

using namespace literals;
using testing::small_run;

Seconds total(const std::array<Seconds, kNumProvenances>& times) {
  return std::accumulate(times.begin(), times.end(), Seconds{});
}

Seconds of(const TimeSources& sources, Provenance provenance) {
  return sources.by_provenance.at(static_cast<std::size_t>(provenance));
}

const ClassShare& share_of(const TrainingResult& result, OperatorClass operator_class) {
  return *std::ranges::find(result.breakdown, operator_class, &ClassShare::operator_class);
}

/// Products within exp(+-0.1), norms of another size than any in the model.
TrainingRunSpec measured_run() {
  TrainingRunSpec run = small_run();
  run.system.device.kernels = flat_kernels(
      {{.kind = KernelKind::kGemm, .time = 10_us, .residual = 0.1, .element_bytes = 2},
       {.kind = KernelKind::kLayerNorm, .time = 4_us, .element_bytes = 2, .covers_all = false}});
  return run;
}

TEST(StepEvidence, IsNoneWithoutKernelsAndIntervals) {
  const TrainingRunSpec run = small_run();
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  EXPECT_FALSE(step_evidence(result, run.system.device).has_value());
}

TEST(StepEvidence, IsTheDevicesIntervalWithoutKernels) {
  TrainingRunSpec run = small_run();
  run.system.device.step_interval = StepInterval{.low = 0.8, .high = 1.5};
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  const auto evidence = step_evidence(result, run.system.device);
  ASSERT_TRUE(evidence.has_value());
  EXPECT_FALSE(evidence->has_kernels);
  EXPECT_DOUBLE_EQ(evidence->low / result.step_time, 0.8);
  EXPECT_DOUBLE_EQ(evidence->high / result.step_time, 1.5);
  // And changes nothing else.
  EXPECT_EQ(result.step_time, simulate_training(small_run(), EngineKind::kAnalytic).step_time);
}

// All operators and collectives take half the time, but for latencies of links: MFU doubles as far
// as the step is shorter, and the interval keeps its multiples around the anchored time.
TEST(StepEvidence, IsScaledWithAnAnchoredTime) {
  TrainingRunSpec run = small_run();
  run.system.device.step_interval = StepInterval{.low = 0.8, .high = 1.5};
  const TrainingResult before = simulate_training(run, EngineKind::kAnalytic);
  run.system.anchor = Anchor{.experiment = "e", .trace = "t", .date = "d"};
  run.system.anchor->factors.fill(0.5);
  const TrainingResult after = simulate_training(run, EngineKind::kAnalytic);
  EXPECT_LT(after.step_time / before.step_time, 0.9);
  EXPECT_NEAR((after.mfu / before.mfu) * (after.step_time / before.step_time), 1.0, 1e-9);
  const auto evidence = step_evidence(after, run.system.device);
  ASSERT_TRUE(evidence.has_value());
  EXPECT_DOUBLE_EQ(evidence->low / after.step_time, 0.8);
  EXPECT_DOUBLE_EQ(evidence->high / after.step_time, 1.5);
  EXPECT_NE(evidence->high, step_evidence(before, run.system.device)->high);
}

// An anchor multiplies what kernels take and both ends of their interval: exp(+-0.1), as before.
TEST(StepEvidence, KeepsIntervalsOfAnchoredKernelsAroundTheirTimes) {
  TrainingRunSpec run = measured_run();
  run.system.anchor = Anchor{.experiment = "e", .trace = "t", .date = "d"};
  run.system.anchor->factors.fill(3.0);
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  const ClassShare& share = share_of(result, OperatorClass::kFeedForward);
  const Seconds fitted = of(share.sources, Provenance::kFitted);
  EXPECT_NEAR((share.time - share.sources.low) / fitted, 1.0 - std::exp(-0.1), 1e-9);
  EXPECT_NEAR((share.sources.high - share.time) / fitted, std::exp(0.1) - 1.0, 1e-9);
}

// All forward norms take 4 us, in each of 3 microbatches: 2 blocks in each of 2 encoder layers, 3
// in each of 2 decoder layers.
TEST(StepEvidence, AddsUpEachClassByWhereItsTimesComeFrom) {
  const TrainingRunSpec run = measured_run();
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  for (const ClassShare& share : result.breakdown)
    EXPECT_NEAR(total(share.sources.by_provenance) / share.time, 1.0, 1e-9)
        << class_name(share.operator_class);
  const auto norms = std::ranges::count_if(
      result.tasks.tasks, [](const Task& task) { return task.name.ends_with(".norm.forward"); });
  ASSERT_GE(norms, 10);
  const TimeSources& norm = share_of(result, OperatorClass::kNormalization).sources;
  EXPECT_NEAR(of(norm, Provenance::kExtrapolated).base(),
              static_cast<double>(norms) * 4e-6 * result.num_microbatches, 1e-12);
  EXPECT_GT(of(norm, Provenance::kAssumed), Seconds{});  // backward
  EXPECT_EQ(of(norm, Provenance::kFitted), Seconds{});
}

// Feed-forward blocks are products alone, forward and data gradient of 10 us: exp(+-0.1) of those;
// the weights' gradients and what accumulates them were not measured and count as they are.
TEST(StepEvidence, AddsUpTheEndsOfIntervals) {
  const TrainingRunSpec run = measured_run();
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  const ClassShare& share = share_of(result, OperatorClass::kFeedForward);
  const Seconds fitted = of(share.sources, Provenance::kFitted);
  EXPECT_GT(fitted, Seconds{});
  EXPECT_NEAR((share.time - share.sources.low) / fitted, 1.0 - std::exp(-0.1), 1e-9);
  EXPECT_NEAR((share.sources.high - share.time) / fitted, std::exp(0.1) - 1.0, 1e-9);
  const auto evidence = step_evidence(result, run.system.device);
  ASSERT_TRUE(evidence.has_value());
  // The step's ends are those of its parts over their times.
  Seconds busy;
  Seconds low;
  Seconds high;
  for (const ClassShare& each : result.breakdown) {
    busy += each.time;
    low += each.sources.low;
    high += each.sources.high;
  }
  EXPECT_NEAR(evidence->low / result.step_time, low / busy, 1e-9);
  EXPECT_NEAR(evidence->high / result.step_time, high / busy, 1e-9);
  EXPECT_LT(low, busy);
  EXPECT_GT(high, busy);
}

TEST(StepEvidence, NamesWhatNoKernelRuns) {
  const TrainingRunSpec run = measured_run();
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  const auto evidence = step_evidence(result, run.system.device);
  ASSERT_TRUE(evidence.has_value());
  EXPECT_EQ(evidence->worst, Provenance::kAssumed);
  EXPECT_NEAR(std::accumulate(evidence->shares.begin(), evidence->shares.end(), 0.0), 1.0, 1e-9);
  EXPECT_NEAR(unproven_share(*evidence),
              1.0 - evidence->shares.at(static_cast<std::size_t>(Provenance::kFitted)), 1e-9);
  std::vector<std::string> names;
  for (const UnprovenTime& part : evidence->unproven) names.push_back(part.name);
  EXPECT_THAT(names, ::testing::Contains("decoder.*.attention.scores.query_gradient"));
  EXPECT_THAT(names, ::testing::Contains("all-to-all"));
  EXPECT_THAT(names, ::testing::Not(::testing::Contains("decoder.*.feed_forward.wi.forward")));
  EXPECT_TRUE(std::ranges::is_sorted(evidence->unproven, std::ranges::greater{},
                                     &UnprovenTime::share_of_step));
}

// Stages of a decoder-only model; what stragglers and pairs of passes change keeps its proportions.
TEST(StepEvidence, CoversPipelines) {
  TrainingRunSpec run = measured_run();
  run.step.model = testing::decoder_only(
      {.layers = 8, .d_model = 512, .d_ff = 1024, .num_heads = 8, .num_kv_heads = 8});
  run.step.lengths = {.input_tokens = 0, .target_tokens = 256};
  run.step.partition = {.data = 4, .pipeline = 2};
  run.step.microbatch_sequences = 1;
  run.stragglers.stage_slowdown = {1.0, 1.5};
  run.draws = 0;
  const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
  ASSERT_TRUE(result.pipeline.has_value());
  for (const ClassShare& share : result.breakdown)
    EXPECT_NEAR(total(share.sources.by_provenance) / share.time, 1.0, 1e-9)
        << class_name(share.operator_class);
  const auto evidence = step_evidence(result, run.system.device);
  ASSERT_TRUE(evidence.has_value());
  EXPECT_GT(evidence->shares.at(static_cast<std::size_t>(Provenance::kFitted)), 0.0);
}

}  // namespace
}  // namespace switchyard
