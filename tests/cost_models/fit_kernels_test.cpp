#include "cost_models/calibration/fit_kernels.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/cost_models/synthetic_points.hpp"

namespace switchyard {
namespace {

constexpr FitOptions kFewDraws{.bootstraps = 20, .seed = 1};

double constant_of(const KernelModel& model, KernelConstant constant) {
  return model.constants[static_cast<std::size_t>(constant)];
}

TEST(FitKernels, GivesConstantsBackThatMadeThePoints) {
  const auto models = fit_kernels(made_up_products(60, 0.0, 7), {}, kFewDraws);
  ASSERT_EQ(models.size(), 1U);
  const KernelModel& model = models.front();
  EXPECT_EQ(model.points.size(), 40U);  // two of three are fitted to
  // 100 GFLOP/s and 8 GB/s decide most times; 1 % is what rounding and the starts' pull leave.
  EXPECT_NEAR(constant_of(model, KernelConstant::kRate) / 1e11, 1.0, 0.01);
  EXPECT_NEAR(constant_of(model, KernelConstant::kWeightBandwidth) / 8e9, 1.0, 0.01);
  EXPECT_LT(model.held_out.largest, 0.01);
  EXPECT_EQ(model.held_out.points, 20);
}

TEST(FitKernels, NeverLooksAtHeldOutPoints) {
  std::vector<KernelPoint> points = made_up_products(45, 0.03, 3);
  const KernelModel before = fit_kernels(points, {}, kFewDraws).front();
  for (KernelPoint& point : points)
    if (point.role == PointRole::kHeldOut) point.time = 3.0 * point.time;
  const KernelModel after = fit_kernels(points, {}, kFewDraws).front();
  EXPECT_EQ(before.constants, after.constants);
  EXPECT_EQ(before.lowest, after.lowest);
  EXPECT_EQ(before.highest, after.highest);
  EXPECT_EQ(before.reach, after.reach);
  EXPECT_EQ(before.residual, after.residual);
  EXPECT_EQ(before.parameters, after.parameters);
  EXPECT_NE(before.held_out.median, after.held_out.median);
}

TEST(FitKernels, DoesNotDependOnTheOrderOfThePoints) {
  std::vector<KernelPoint> points = made_up_products(30, 0.03, 4);
  const KernelModel before = fit_kernels(points, {}, kFewDraws).front();
  std::reverse(points.begin(), points.end());
  EXPECT_EQ(before.constants, fit_kernels(points, {}, kFewDraws).front().constants);
}

TEST(FitKernels, IsNotLedAstrayByOneSlowPoint) {
  std::vector<KernelPoint> points = made_up_products(60, 0.0, 7);
  points[0].time = 4.0 * points[0].time;
  const KernelModel model = fit_kernels(points, {}, kFewDraws).front();
  // A sum of squares would move the rate by some tens of percent: log 4 of 40 points.
  EXPECT_NEAR(constant_of(model, KernelConstant::kRate) / 1e11, 1.0, 0.05);
  EXPECT_LT(model.held_out.median, 0.03);
}

TEST(FitKernels, CoversNineOfTenPointsThatItHasNotSeen) {
  int inside = 0;
  int all = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto points = made_up_products(90, 0.05, seed);
    const KernelModel model = fit_kernels(points, {}, kFewDraws).front();
    for (const KernelPoint& point : points) {
      if (point.role != PointRole::kHeldOut) continue;
      const KernelPrediction p = predict_kernel(model, point.call, {});
      ++all;
      if (p.low <= point.time && point.time <= p.high) ++inside;
    }
  }
  // 8 x 30 points; the standard deviation of a share of 0.9 of 240 is 0.019.
  EXPECT_EQ(all, 240);
  EXPECT_GE(inside, 0.80 * all);
  EXPECT_LE(inside, 0.97 * all);
}

TEST(FitKernels, KnowsAKindWithFewPointsByItsKin) {
  std::vector<KernelPoint> points = made_up_products(60, 0.0, 3);
  // The same device's experts: five small ones, of which none is limited by arithmetic.
  for (int i = 0; i < 5; ++i) {
    KernelPoint point;
    point.call.kind = KernelKind::kGroupedForward;
    point.call.sizes = {4 + i, 64 + 16 * i, 64, 2};
    point.time = kernel_time(kernel_work(point.call, {}), 0, made_up_constants());
    point.p10 = point.p90 = point.time;
    points.push_back(point);
  }
  const std::vector<KernelModel> models = fit_kernels(points, {});
  const KernelCall large{.kind = KernelKind::kGroupedForward, .sizes = {2048, 1024, 1024, 2}};
  const double exact = kernel_time(kernel_work(large, {}), 0, made_up_constants()).base();
  // By its points alone the rate could be anything.
  EXPECT_NEAR(form_time(models.back(), large, {}).base() / exact, 1.0, 0.1);
}

TEST(PredictKernel, ReturnsMeasuredPointsAsMeasured) {
  const auto points = made_up_products(30, 0.1, 5);
  const KernelModel model = fit_kernels(points, {}, kFewDraws).front();
  for (const KernelPoint& point : points) {
    if (point.role != PointRole::kFit) continue;
    const KernelPrediction p = predict_kernel(model, point.call, {});
    EXPECT_EQ(p.time, point.time);
    EXPECT_EQ(p.provenance, Provenance::kMeasured);
    EXPECT_EQ(p.low, point.p10);
    EXPECT_EQ(p.high, point.p90);
  }
}

TEST(PredictKernel, ExtrapolatesOutsideWhatWasMeasuredAndSaysSo) {
  const auto points = made_up_products(30, 0.03, 5);
  const KernelModel model = fit_kernels(points, {}, kFewDraws).front();
  KernelCall call = points.front().call;
  call.sizes = {100, 300, 300};  // rows to 1024, n and k to 2048 were measured
  const KernelPrediction inside = predict_kernel(model, call, {});
  EXPECT_EQ(inside.provenance, Provenance::kFitted);
  call.sizes[0] = 100'000;
  const KernelPrediction outside = predict_kernel(model, call, {});
  EXPECT_EQ(outside.provenance, Provenance::kExtrapolated);
  EXPECT_GT(outside.high / outside.time, inside.high / inside.time);
  EXPECT_EQ(outside.time, form_time(model, call, {}));  // no neighbour's error
  call.sizes[0] = 100;
  call.busy_ranks = 2;  // none was measured side by side
  EXPECT_EQ(predict_kernel(model, call, {}).provenance, Provenance::kExtrapolated);
}

TEST(ProductWork, CountsWholeTilesOfTheBusiestThread) {
  // 13 rows are 2 tiles of 12, 33 columns 2 of 32, in tasks of 32 columns for one thread: 4 blocks
  // of columns would be wanted, so tasks are 32 wide. 2 * 24 * 64 * 10 operations.
  const ProductShape one{.rows = 13, .columns = 33, .depth = 10};
  const ProductWork work = product_work({&one, 1}, 1, {.rows = 12, .columns = 32});
  EXPECT_DOUBLE_EQ(work.flop, 2.0 * 24 * 64 * 10);
  EXPECT_DOUBLE_EQ(work.tasks, 2);
  // Both tasks copy the left operand: 2 * 13 * 10 numbers; the right one once: 33 * 10.
  EXPECT_DOUBLE_EQ(work.copied_a, 260);
  EXPECT_DOUBLE_EQ(work.copied_b, 330);
  // Two threads: one has the whole tile of 32 columns, the other that of the last column.
  EXPECT_DOUBLE_EQ(product_work({&one, 1}, 2, {.rows = 12, .columns = 32}).flop,
                   2.0 * 24 * 32 * 10);
}

TEST(ProductWork, SharesSmallTilesAmongMultiprocessors) {
  // Tiles of half the height and width: 5 x 4 of 64 x 64, computed whole, on 4 multiprocessors.
  const ProductShape one{.rows = 300, .columns = 256, .depth = 64};
  const ProductTiles tiles{.rows = 128, .columns = 128, .multiprocessors = 4};
  EXPECT_DOUBLE_EQ(product_work({&one, 1}, 1, tiles).flop, 20 * 2.0 * 64 * 64 * 64);
}

TEST(ProductWork, LeavesMultiprocessorsIdleWhereThereIsLittleToDo) {
  // One tile of 64 x 64, its depth of 4096 in parts of 1024 side by side: as long as 132 such
  // parts.
  const ProductShape one{.rows = 64, .columns = 64, .depth = 4096};
  const ProductTiles tiles{.rows = 128, .columns = 128, .multiprocessors = 132};
  EXPECT_DOUBLE_EQ(product_work({&one, 1}, 1, tiles).flop, 132 * 2.0 * 64 * 64 * 1024);
}

TEST(KernelTime, AddsUpOrTakesTheLongerAndSharesTheMachine) {
  // 1e9 FLOP at 1e11 FLOP/s: 10 ms. 8e7 B of weights at 8 GB/s: 10 ms. Launch 5 us.
  KernelConstants c = made_up_constants();
  const KernelWork work{.flop = Flop{1e9}, .weights = Bytes{8e7}};
  EXPECT_NEAR(kernel_time(work, 0, c).base(), 20.005e-3, 1e-9);
  c[static_cast<std::size_t>(KernelConstant::kCombination)] = 2.0;
  EXPECT_NEAR(kernel_time(work, 0, c).base(), std::sqrt(2.0) * 10e-3 + 5e-6, 1e-9);
  // Weights slower by half for the one other rank: 15 ms, and sqrt(10^2 + 15^2) together.
  c[static_cast<std::size_t>(KernelConstant::kSharedMemory)] = 0.5;
  EXPECT_NEAR(kernel_time(work, 1, c).base(), std::sqrt(325.0) * 1e-3 + 5e-6, 1e-9);
}

TEST(KernelTime, ReadsFromMemoryBeyondTheKnee) {
  KernelConstants c = neutral_constants();
  c[static_cast<std::size_t>(KernelConstant::kCacheBandwidth)] = 4e10;
  c[static_cast<std::size_t>(KernelConstant::kLastLevelBandwidth)] = 2e10;
  c[static_cast<std::size_t>(KernelConstant::kMemoryBandwidth)] = 1e10;
  c[static_cast<std::size_t>(KernelConstant::kKnee)] = 1e6;
  c[static_cast<std::size_t>(KernelConstant::kLastLevelKnee)] = 4e6;
  // At the knee half is beyond the core's caches, 1 / (1 + 4) beyond the last level, s / B:
  // 1 / 4e10 + (1 / 2e10 - 1 / 4e10) / 2 + (1 / 1e10 - 1 / 2e10) / 5 = 4.75e-11, of 1e6 B.
  const KernelWork work{.traffic = Bytes{1e6}, .working_set = Bytes{1e6}};
  EXPECT_NEAR(kernel_time(work, 0, c).base(), 47.5e-6, 1e-12);
}

}  // namespace
}  // namespace switchyard
