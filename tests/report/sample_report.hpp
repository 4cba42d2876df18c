#pragma once

#include <utility>

#include "sim/report/run_report.hpp"

namespace switchyard {

/// One step of 64 examples on two ranks of a dense model.
inline TrainingResult dense_result() {
  using namespace literals;
  TrainingResult result;
  result.microbatch_sequences = 8;
  result.num_microbatches = 4;
  result.step_time = 640_ms;
  result.step_time_over_draws = {0.64, 0.64, 0.64};
  result.microbatch_time = 144_ms;
  result.examples_rate = 64.0 / result.step_time;  // 100/s
  result.mfu = 0.25;
  result.memory = {.weights = 1_GB, .gradients = 2_GB, .optimizer = 0_B, .activations = 3_GB};
  result.memory_over_draws = {6e9, 6e9, 6e9};
  result.breakdown = {
      {OperatorClass::kAttention, 320_ms, 8_GFLOP, 4_GB, 0_B},
      {OperatorClass::kFeedForward, 240_ms, 16_GFLOP, 2_GB, 0_B},
      {OperatorClass::kOptimizer, 64_ms, 0_FLOP, 1_GB, 0_B},
  };
  result.idle = 16_ms;
  result.num_ranks = 2;
  result.timeline.num_ranks = 2;
  return result;
}

/// The same step with experts instead of the feed-forward blocks.
inline TrainingResult sparse_result() {
  using namespace literals;
  TrainingResult result = dense_result();
  result.step_time = 800_ms;
  result.step_time_over_draws = {0.8, 0.8, 0.8};
  result.examples_rate = 64.0 / result.step_time;  // 80/s
  result.mfu = 0.2;
  result.breakdown = {
      {OperatorClass::kAttention, 320_ms, 8_GFLOP, 4_GB, 0_B},
      {OperatorClass::kAllToAll, 320_ms, 0_FLOP, 0_B, 5_GB},
      {OperatorClass::kExperts, 160_ms, 16_GFLOP, 2_GB, 0_B},
  };
  result.idle = Seconds{};
  result.all_to_all_sent = 5_GB;
  result.busiest_link = 6_GB;
  const MoeLayerShape shape{.groups = {.num_groups = 4, .group_tokens = 1024},
                            .capacity = 20,
                            .laid_out = 24,
                            .experts_per_rank = 32.0,
                            .effective_capacity_factor = 1.25};
  result.routing = {{"encoder", shape, {0.01, 0.013, 0.02}, {0.2, 0.21, 0.22}, {1.3, 1.4, 1.5}},
                    {"decoder", shape, {0.0, 0.0001, 0.001}, {0.2, 0.21, 0.22}, {1.3, 1.4, 1.5}}};
  return result;
}

/// Two published cases: "dense" was fitted (100 examples/s, exactly), "sparse" is predicted 20 %
/// too slow (80 examples/s instead of 100).
inline RunReport sample_report() {
  const Constant matmul{
      .value = 0.5, .provenance = Provenance::kFitted, .lowest = 0.3, .highest = 0.9};
  const Constant memory{
      .value = 0.75, .provenance = Provenance::kAssumed, .lowest = 0.6, .highest = 1.0};
  const Constant passes{
      .value = 2.0, .provenance = Provenance::kFitted, .lowest = 1.0, .highest = 8.0};
  RunReport report{.experiment = "tiny",
                   .title = "What do experts cost?",
                   .engine = EngineKind::kAnalytic,
                   .seed = 7,
                   .cases = {},
                   .ratios = {},
                   .leave_one_out = {}};
  report.cases.push_back({.name = "dense",
                          .input = {{"model", "t5-base"}},
                          .result = dense_result(),
                          .published = PublishedRate{PerSecond{100.0}, Role::kFit, "Table 1"},
                          .matmul_efficiency = matmul,
                          .memory_efficiency = memory,
                          .one_hot_passes = passes});
  report.cases.push_back({.name = "sparse, top-1",
                          .input = {{"model", "switch-base"}},
                          .result = sparse_result(),
                          .published = PublishedRate{PerSecond{100.0}, Role::kPredicted, "Table 1"},
                          .matmul_efficiency = matmul,
                          .memory_efficiency = memory,
                          .one_hot_passes = passes});
  report.ratios = {
      {.name = "sparse / dense", .predicted = 0.8, .published = 1.0, .tolerance = 0.05},
      {.name = "dense / dense",
       .predicted = 1.0,
       .published = 1.0,
       .tolerance = 0.0,
       .role = Role::kFit}};
  report.leave_one_out = {{.name = "dense", .model_error = 0.1, .constant_error = -0.4},
                          {.name = "sparse", .model_error = -0.2, .constant_error = 0.6}};
  return report;
}

/// The sample without anything published or fitted.
inline RunReport unpublished_report() {
  RunReport report = sample_report();
  for (CaseReport& row : report.cases) row.published.reset();
  report.ratios.clear();
  report.leave_one_out.clear();
  return report;
}

}  // namespace switchyard
