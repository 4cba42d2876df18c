#include "cost_models/calibration/priced_operator.hpp"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "cost_models/compute.hpp"
#include "cost_models/routed_compute.hpp"
#include "tests/cost_models/synthetic_points.hpp"

namespace switchyard {
namespace {

using namespace literals;

DeviceProfile plain_device() {
  DeviceProfile device;
  device.peak_bfloat16 = FlopPerSecond{1e12};
  device.memory_bandwidth = 10_GBps;
  device.memory_capacity = 1_GB;
  return device;
}

/// With one form: of 2 us and 1 us for each row that is moved.
DeviceProfile measured_device(KernelKind kind) {
  KernelModel model;
  model.kind = kind;
  model.constants[static_cast<std::size_t>(KernelConstant::kLaunch)] = 2e-6;
  model.constants[static_cast<std::size_t>(KernelConstant::kGroup)] = 1e-6;
  for (const std::int64_t rows : {1, 1000}) {
    KernelPoint point{.call = {.kind = kind, .sizes = {rows, 8}}};
    point.time = Seconds{3e-3};
    model.points.push_back(point);
  }
  KernelProfile profile;
  profile.models = {model};
  place_points(profile.models.front(), profile.tiles);
  DeviceProfile device = plain_device();
  device.kernels = std::make_shared<const KernelProfile>(std::move(profile));
  return device;
}

/// Moves 100 rows of 8 float32 numbers: 6400 B, at 10 GB/s 640 ns.
Operator permute() {
  Operator op;
  op.name = "permute";
  op.traffic = {{{1.0, 100, 8, 4, true}, 2.0}};
  op.routed = {.rows = RoutedRows::kReceivedByRank};
  op.kernel = KernelUse{.kind = KernelKind::kPermute, .sizes = {100, 8}, .has_routed_rows = true};
  return op;
}

TEST(PricedOperator, IsTheRooflineWithoutMeasuredKernels) {
  EXPECT_FALSE(priced_operator(permute(), plain_device()).has_value());
  EXPECT_DOUBLE_EQ(operator_time(permute(), plain_device()).base(), 640e-9);
  // Nor where others were measured.
  EXPECT_DOUBLE_EQ(operator_time(permute(), measured_device(KernelKind::kLayerNorm)).base(),
                   640e-9);
}

TEST(PricedOperator, TakesTheMeasuredKernel) {
  // 100 rows: 2 us + 100 us.
  const DeviceProfile device = measured_device(KernelKind::kPermute);
  const auto priced = priced_operator(permute(), device);
  ASSERT_TRUE(priced.has_value());
  EXPECT_EQ(priced->provenance, Provenance::kFitted);
  EXPECT_NEAR(operator_time(permute(), device).base(), 102e-6, 1e-12);
}

TEST(PricedOperator, TakesLongerWhereTheDeviceIsHot) {
  DeviceProfile device = measured_device(KernelKind::kPermute);
  KernelProfile hot = *device.kernels;
  hot.sustained["memory"] = {.ratio = 0.8};
  const KernelPrediction burst = *priced_operator(permute(), device);
  const auto priced = [&] {
    device.kernels = std::make_shared<const KernelProfile>(hot);
    return *priced_operator(permute(), device);
  };
  EXPECT_EQ(priced().time, burst.time);  // unless it is asked for
  hot.speed = KernelSpeed::kSustained;
  EXPECT_DOUBLE_EQ(priced().time.base(), burst.time.base() / 0.8);
  EXPECT_DOUBLE_EQ(priced().low.base(), burst.low.base() / 0.8);
  EXPECT_DOUBLE_EQ(priced().high.base(), burst.high.base() / 0.8);
  // Classes that were not measured stay as they are.
  hot.sustained.clear();
  hot.sustained["grouped"] = {.ratio = 0.5};
  EXPECT_EQ(priced().time, burst.time);
}

TEST(PricedOperator, MeasuredPointsAreFittedWhereTheDeviceIsHot) {
  DeviceProfile device = measured_device(KernelKind::kPermute);
  Operator op = permute();
  op.kernel->sizes = {1000, 8};  // a point of the model
  EXPECT_EQ(priced_operator(op, device)->provenance, Provenance::kMeasured);
  KernelProfile hot = *device.kernels;
  hot.sustained["memory"] = {.ratio = 0.5};
  hot.speed = KernelSpeed::kSustained;
  device.kernels = std::make_shared<const KernelProfile>(std::move(hot));
  EXPECT_EQ(priced_operator(op, device)->provenance, Provenance::kFitted);
  EXPECT_DOUBLE_EQ(priced_operator(op, device)->time.base(), 6e-3);  // 3 ms over 0.5
}

TEST(SustainedClass, IsKnownOfEachKernelThatWorks) {
  for (int kind = 0; kind < kNumKernelKinds; ++kind) {
    const auto of = static_cast<KernelKind>(kind);
    const bool waits =
        of == KernelKind::kLaunch || of == KernelKind::kSync || of == KernelKind::kPlan;
    const std::string_view name = sustained_class(of, 2);
    EXPECT_EQ(name.empty(), waits) << kernel_name(of);
    EXPECT_TRUE(waits || std::ranges::find(kSustainedClasses, name) != kSustainedClasses.end())
        << kernel_name(of);
  }
  EXPECT_EQ(sustained_class(KernelKind::kGemm, 2), "product_bfloat16");
  EXPECT_EQ(sustained_class(KernelKind::kGemm, 4), "product_float32");
}

TEST(PricedOperator, CostsNothingWhereAnotherHasTheKernelsTime) {
  Operator op = permute();
  op.kernel->is_elsewhere = true;
  EXPECT_EQ(operator_time(op, measured_device(KernelKind::kPermute)), Seconds{});
  EXPECT_DOUBLE_EQ(operator_time(op, plain_device()).base(), 640e-9);
}

TEST(PricedOperator, FollowsDrawnRows) {
  LayerRows rows{.between_ranks = TokenCounts::Zero(2, 2), .of_experts = {{50}, {7}}};
  rows.between_ranks(0, 0) = 50;
  rows.between_ranks(0, 1) = 7;
  const auto work = routed_work(permute(), rows, measured_device(KernelKind::kPermute));
  ASSERT_EQ(work.size(), 2U);
  EXPECT_NEAR(work[0].time.base(), 52e-6, 1e-12);
  EXPECT_NEAR(work[1].time.base(), 9e-6, 1e-12);
}

}  // namespace
}  // namespace switchyard
