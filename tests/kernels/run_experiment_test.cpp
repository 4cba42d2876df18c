#include "kernels/run/run_experiment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "kernels/comm/loopback.hpp"
#include "kernels/ranks/phases.hpp"
#include "kernels/run/layer_inputs.hpp"
#include "kernels/run/measurement_report.hpp"
#include "kernels/run/run_backend.hpp"

namespace switchyard::kernels {
namespace {

RunSpec small_run() {
  return {.layer = {.d_model = 64,
                    .d_ff = 32,
                    .num_experts = 8,
                    .precision = Precision::kFloat32,
                    .capacity = {.capacity_factor = 1.0, .group_tokens = 64}},
          .tokens_per_rank = 128,
          .layers = 2,
          .steps = 3,
          .warmup = 1};
}

/// Measured by rank 0 of loopback ranks; the others must agree.
RunMeasurement measured(const RunSpec& spec) {
  RunMeasurement result;
  run_loopback(spec.partition.data * spec.partition.tensor, [&](Communicator& ranks) {
    auto measurement = run_experiment(spec, ranks);
    if (ranks.rank() == 0) result = std::move(measurement);
  });
  return result;
}

TEST(RunExperiment, CountsTheSameWhateverThePartition) {
  RunSpec spec = small_run();
  spec.tokens_per_rank = 512;
  const auto one = measured(spec);
  // Two layers of 512 tokens with one choice each.
  EXPECT_EQ(one.num_choices, 2 * 512);
  EXPECT_GT(one.num_dropped, 0);
  EXPECT_EQ(one.all_to_all_bytes, 0);
  for (const NamedPartition& named : figure9_partitions(4)) {
    spec.partition = named.partition;
    spec.tokens_per_rank = 512 / named.partition.data;
    const auto four = measured(spec);
    EXPECT_EQ(four.expert_choices, one.expert_choices) << named.name;
    EXPECT_EQ(four.expert_rows, one.expert_rows) << named.name;
    EXPECT_EQ(four.num_dropped, one.num_dropped) << named.name;
    EXPECT_NEAR(four.aux_loss, one.aux_loss, 1e-6 * one.aux_loss) << named.name;
    const RankPartition& partition = named.partition;
    EXPECT_EQ(four.all_to_all_bytes > 0, partition.expert > 1) << named.name;
    EXPECT_EQ(four.tensor_all_reduce_bytes > 0, partition.tensor > 1) << named.name;
    EXPECT_EQ(four.gradient_all_reduce_bytes > 0, partition.data > 1) << named.name;
  }
}

TEST(RunExperiment, TimesAddUpToTheStep) {
  const auto of = measured(small_run());
  ASSERT_EQ(of.phases.size(), kNumPhases);
  EXPECT_GT(of.step_s.p10, 0.0);
  EXPECT_LE(of.step_s.p10, of.step_s.median);
  EXPECT_LE(of.step_s.median, of.step_s.p90);
  // One rank, one chunk: phases follow one another, so each is shorter than the step.
  for (const PhaseMeasurement& phase : of.phases)
    EXPECT_LE(phase.seconds.p10, of.step_s.p90) << phase.name;
  RunSpec forward = small_run();
  forward.mode = RunMode::kForward;
  EXPECT_EQ(measured(forward).phases.back().name, "combine");
  EXPECT_EQ(measured(forward).backward_s.p90, 0.0);
}

TEST(RunExperiment, SkewSendsTokensByPopularity) {
  RunSpec spec = small_run();
  spec.layers = 1;
  spec.tokens_per_rank = 4096;
  spec.routing = InputRouting::kSkew;
  spec.mode = RunMode::kForward;
  const auto popularity = drawn_popularity(spec, 0);
  // The most popular weighs 1 of 1 + 1/2 + ... + 1/8 = 2.718.
  EXPECT_NEAR(*std::ranges::max_element(popularity), 1.0 / 2.717857, 1e-6);
  EXPECT_NEAR(std::accumulate(popularity.begin(), popularity.end(), 0.0), 1.0, 1e-12);
  const auto of = measured(spec);
  // 4096 draws: a deviation of at most sqrt(4096 / 4) = 32, so 4 of them, and 1 % of tokens that
  // the random part of their numbers leads elsewhere.
  for (std::size_t e = 0; e < 8; ++e)
    EXPECT_NEAR(static_cast<double>(of.expert_choices[0][e]), 4096 * popularity[e], 128 + 41) << e;
}

TEST(RunExperiment, RefusesRanksWithAnotherRun) {
  try {
    run_loopback(2, [](Communicator& ranks) {
      RunSpec spec = small_run();
      spec.partition.data = 2;
      spec.seed = static_cast<std::uint64_t>(ranks.rank());
      (void)run_experiment(spec, ranks);
    });
    FAIL();
  } catch (const KernelError& error) {
    EXPECT_STREQ(error.what(), "rank 1: expected the run of rank 0, got another");
  }
}

TEST(RunExperiment, RefusesCudaOnAllRanksWithoutAGpu) {
  if (num_gpus() > 0) GTEST_SKIP() << "has a GPU: see the checks of kernels/cuda";
  RunSpec spec = small_run();
  spec.partition = {2, 1, 2};
  spec.backend = BackendChoice::kCuda;
  const std::string expected = has_cuda() ? "rank 0: backend: expected a GPU, found none"
                                          : "backend: this build has no CUDA";
  run_loopback(2, [&](Communicator& ranks) {
    try {
      (void)run_experiment(spec, ranks);
      ADD_FAILURE() << "expected: " << expected;
    } catch (const KernelError& error) {
      EXPECT_EQ(error.fault(), Fault::kDevice);
      EXPECT_EQ(error.what(), expected);
    }
  });
  spec.backend = BackendChoice::kAuto;
  EXPECT_EQ(measured(spec).backend, "cpu");
}

TEST(MeasurementJson, HasUnitsAndTheSectionOfTheCaller) {
  const auto of = measured(small_run());
  const std::string json = measurement_json(of, "{\"step_s\": 1}");
  for (const char* part : {"\"all_to_all_bytes\": 0,", "\"predicted\": {\"step_s\": 1}",
                           "\"median_s\": ", "\"num_experts\": \"8\"", "\"num_choices\": 256,",
                           "\"dropped_fraction\": "})
    EXPECT_THAT(json, testing::HasSubstr(part));
  EXPECT_THAT(measurement_table(of), testing::HasSubstr("choices            256, dropped"));
}

TEST(SpreadOf, InterpolatesBetweenNeighbours) {
  // 11 numbers 0 .. 10: the quantile of a share q lies at 10 q.
  std::vector<double> numbers(11);
  std::iota(numbers.rbegin(), numbers.rend(), 0.0);
  const Spread spread = spread_of(numbers);
  EXPECT_DOUBLE_EQ(spread.median, 5.0);
  EXPECT_DOUBLE_EQ(spread.p10, 1.0);
  EXPECT_DOUBLE_EQ(spread.p90, 9.0);
  EXPECT_DOUBLE_EQ(spread_of({1.0, 2.0}).p10, 1.1);
}

}  // namespace
}  // namespace switchyard::kernels
