#include "kernels/run/run_experiment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
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

/// small_run() with a trace: token t of layer l chooses experts (3 t + l) % 8 and the next.
RunSpec traced_run(int top_k) {
  RunSpec spec = small_run();
  RoutingTrace trace{.num_layers = 2, .top_k = top_k, .experts = {}};
  for (int t = 0; t < 128; ++t)
    for (int l = 0; l < 2; ++l)
      for (int j = 0; j < top_k; ++j)
        trace.experts.push_back(static_cast<std::int16_t>((3 * t + l + j) % 8));
  spec.layer.router.top_k = top_k;
  spec.routing = InputRouting::kTrace;
  spec.choices = std::make_shared<const RoutingTrace>(trace);
  return spec;
}

TEST(RunExperiment, ChoosesWhatATraceSays) {
  for (const Precision precision :
       {Precision::kFloat32, Precision::kBfloat16, Precision::kSelective})
    for (const int top_k : {1, 2}) {
      RunSpec spec = traced_run(top_k);
      spec.layer.precision = precision;
      // 3 t runs through all 8 experts: each is first choice of 128 / 8 tokens, and with two
      // choices second of as many. (The run itself throws where a single token chooses otherwise.)
      const auto of = measured(spec);
      for (const auto& layer : of.expert_choices) EXPECT_THAT(layer, testing::Each(16 * top_k));
      // Slots of 64 / 8 tokens are filled by first choices; none is dropped, all second ones are.
      EXPECT_EQ(of.num_dropped, 2 * 128 * (top_k - 1));
    }
}

TEST(RunExperiment, BeginsATraceAnew) {
  RunSpec spec = traced_run(1);
  spec.partition = {.data = 4, .tensor = 1, .expert = 2};
  // 4 ranks with the 128 tokens of the trace each: 4 * 16 choices of each expert.
  for (const auto& layer : measured(spec).expert_choices) EXPECT_THAT(layer, testing::Each(64));
}

TEST(RunExperiment, RefusesATraceOfAnotherShape) {
  const auto refused = [](const RunSpec& spec) -> std::string {
    try {
      (void)measured(spec);
    } catch (const KernelError& error) {
      return error.what();
    }
    return "";
  };
  RunSpec spec = traced_run(1);
  spec.layers = 3;
  EXPECT_EQ(refused(spec), "trace: expected at least 3 layers, got 2");
  spec = traced_run(1);
  spec.layer.router.top_k = 2;
  EXPECT_EQ(refused(spec), "trace: expected at least 2 choices of a token, got 1");
  spec.layer.router.second_choice = SecondChoice::kThreshold;
  EXPECT_EQ(refused(spec), "trace: expected second_choice always or never: a trace has no gates");
  spec = traced_run(1);
  spec.layer.num_experts = 4;
  // Token 0 chooses experts 0 and 1 in the two layers, token 1 experts 3 and 4.
  EXPECT_EQ(refused(spec), "trace: token 1, layer 1, choice 0: expected expert 0 to 3, got 4");
  spec = traced_run(1);
  spec.choices = nullptr;
  EXPECT_EQ(refused(spec), "trace: expected recorded choices");
}

TEST(RunExperiment, RefusesChoicesThatNoTokenHas) {
  // With one number a token's logits are w_e x: only the experts of the largest and the smallest
  // weight can be first.
  RunSpec spec = traced_run(1);
  spec.layer.d_model = 1;
  EXPECT_THROW((void)measured(spec), KernelError);
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
