#include "sim/planner/fit_expert_parallel.hpp"

#include <gmock/gmock.h>

#include "sim/planner/minimize.hpp"

namespace switchyard {
namespace {

using namespace literals;
using testing::ElementsAre;
using Mode = ExpertParallelModeKind;
using Direction = TransferDirection;

ExpertParallelLinks links() {
  return {.scale_up = 450_GBps, .scale_up_usable = 400_GBps, .scale_out = 50_GBps};
}

/// What the synthetic rows are made with.
ExpertParallelProfile truth() {
  ExpertParallelProfile profile;
  profile.links = links();
  profile.scale_out_efficiency = 0.9;
  const NormalTransferConstants normal{.startup = 21_us,
                                       .startup_between = 33_us,
                                       .pipeline_depth = 6,
                                       .per_token = 0.5_us,
                                       .per_token_megabyte = 90_us,
                                       .per_rank_megabyte = 35_us,
                                       .per_node_megabyte = 120_us,
                                       .scale_up_efficiency = 0.7,
                                       .notify = 37_us,
                                       .notify_share = 0.02};
  const LowLatencyConstants low{.startup = 9_us,
                                .startup_between = 16_us,
                                .per_expert = 12_ns,
                                .per_token = 1.2_us,
                                .per_token_megabyte = 80_us,
                                .per_message_megabyte = 15_us,
                                .scale_up_efficiency = 0.6};
  profile.normal = {
      .dispatch = normal, .combine = normal, .dispatch_bands = {}, .combine_bands = {}};
  profile.low_latency = {
      .dispatch = low, .combine = low, .dispatch_bands = {}, .combine_bands = {}};
  return profile;
}

ExpertParallelMeasurement row_of(Mode mode, const ExpertParallelShape& shape) {
  const ExpertParallelProfile profile = truth();
  const auto time = [&](Direction direction) {
    return predict(profile, profile.links, mode, shape, direction);
  };
  return {.system = "test",
          .library = "test",
          .mode = mode,
          .shape = shape,
          .dispatch = time(Direction::kDispatch).transmit,
          .dispatch_notify = time(Direction::kDispatch).notify,
          .combine = time(Direction::kCombine).transmit,
          .combine_notify = time(Direction::kCombine).notify};
}

std::vector<ExpertParallelMeasurement> synthetic_rows() {
  std::vector<ExpertParallelMeasurement> rows;
  struct Width {
    int d_model;
    int top_k;
    int experts;
  };
  for (const Mode mode : {Mode::kNormal, Mode::kLowLatency})
    for (const auto& [d_model, top_k, experts] :
         {Width{4096, 2, 8}, Width{4096, 8, 128}, Width{5120, 1, 16}, Width{6144, 2, 8},
          Width{7168, 8, 256}})
      for (const int ranks : {8, 16}) {
        if (ranks == 16 && d_model != 7168) continue;
        for (const int sms : {4, 12, 24}) {
          if (mode == Mode::kLowLatency && sms != 4) continue;
          for (double tokens = 1; tokens < 1e5; tokens *= 4)
            rows.push_back(row_of(mode, {.ranks = ranks,
                                         .num_experts = experts,
                                         .top_k = top_k,
                                         .tokens_per_rank = tokens,
                                         .d_model = d_model,
                                         .communication_sms = sms}));
        }
      }
  return rows;
}

TEST(Minimize, FindsTheLeastWithinTheRanges) {
  // (x - 3)^2 + (y + 1)^2 with y >= 0: the least is at (3, 0).
  const std::vector<double> best = minimize(
      [](const std::vector<double>& x) {
        return (x[0] - 3) * (x[0] - 3) + (x[1] + 1) * (x[1] + 1);
      },
      {{.start = 1, .lowest = 0, .highest = 10}, {.start = 5, .lowest = 0, .highest = 10}});
  EXPECT_NEAR(best[0], 3, 1e-4);
  EXPECT_NEAR(best[1], 0, 1e-4);
}

TEST(HeldOutRows, AreWholeShapesInOneNodeAndEverySecondTokenCountBetweenTwo) {
  std::vector<ExpertParallelMeasurement> rows;
  const auto add = [&](Mode mode, int ranks, int experts, double tokens) {
    ExpertParallelMeasurement& row = rows.emplace_back();
    row.mode = mode;
    row.shape.ranks = ranks;
    row.shape.num_experts = experts;
    row.shape.tokens_per_rank = tokens;
  };
  for (const int experts : {8, 16, 32}) add(Mode::kNormal, 8, experts, 1);
  for (const double tokens : {1, 2, 4}) add(Mode::kNormal, 16, 256, tokens);
  for (const double tokens : {1, 2}) add(Mode::kLowLatency, 16, 288, tokens);
  for (const double tokens : {1, 2}) add(Mode::kLowLatency, 16, 256, tokens);
  EXPECT_THAT(held_out_rows(rows), ElementsAre(false, false, true,  // the third shape
                                               false, true, false,  // the second count
                                               true, true,          // another shape than 256
                                               false, true));
}

TEST(HeldOutRows, HoldOutEachShapeInOneOfThreePhases) {
  const auto rows = synthetic_rows();
  std::vector<int> times(rows.size(), 0);
  for (const int phase : {0, 1, 2}) {
    const std::vector<bool> is_held_out = held_out_rows(rows, phase);
    for (std::size_t i = 0; i < rows.size(); ++i) times[i] += is_held_out[i] ? 1 : 0;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].shape.ranks == 8) {
      EXPECT_EQ(times[i], 1);
    } else {
      EXPECT_TRUE(times[i] == 0 || times[i] == 3);
    }
  }
}

TEST(FitExpertParallel, RecoversWhatSyntheticRowsWereMadeWith) {
  const auto rows = synthetic_rows();
  const ExpertParallelFit fit = fit_expert_parallel(rows, held_out_rows(rows), links());
  int held_out = 0;
  for (const ExpertParallelRow& row : fit.rows) {
    held_out += row.is_held_out ? 1 : 0;
    EXPECT_NEAR(row.error(), 0.0, 0.02) << row.measurement.shape.tokens_per_rank << " tokens";
  }
  EXPECT_GT(held_out, 50);
  EXPECT_NEAR(fit.profile.scale_out_efficiency, 0.9, 0.01);
  EXPECT_NEAR(fit.profile.normal.combine.scale_up_efficiency, 0.7, 0.02);
  EXPECT_NEAR(fit.profile.normal.dispatch.notify / 37_us, 1.0, 0.02);
  EXPECT_LT(fit.profile.normal.dispatch_bands.two_nodes_p90, 0.02);
}

TEST(FitExpertParallel, DoesNotSeeWhatIsHeldOut) {
  auto rows = synthetic_rows();
  const std::vector<bool> is_held_out = held_out_rows(rows);
  const ExpertParallelFit before = fit_expert_parallel(rows, is_held_out, links());
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (is_held_out[i]) rows[i].dispatch = rows[i].combine = 3 * rows[i].dispatch;
  const ExpertParallelFit after = fit_expert_parallel(rows, is_held_out, links());
  for (std::size_t i = 0; i < before.rows.size(); ++i)
    EXPECT_EQ(before.rows[i].predicted, after.rows[i].predicted);
}

}  // namespace
}  // namespace switchyard
