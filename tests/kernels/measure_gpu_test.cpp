// What measuring on GPUs decides without one: points, calls of a launch, and NVML.

#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/calls_of_launch.hpp"
#include "kernels/measure/choose_gpu_points.hpp"
#include "kernels/measure/nvml.hpp"
#include "kernels/run/measure_command.hpp"
#include "kernels/run/run_backend.hpp"

namespace switchyard::kernels {
namespace {

/// Rates of an H100, roughly.
MeasurePlan h100_plan(double budget_s) {
  return {.budget_s = budget_s, .ranks = 1, .flop_per_s = 6e14, .bytes_per_s = 2.5e12};
}

TEST(CallsOfLaunch, AreEnoughForEventsAndForTheCache) {
  // 5 us: 0.5 ms are 100 calls.
  EXPECT_EQ(calls_of_launch({.call_s = 5e-6}), 100);
  // 1 MB each: twice a cache of 100 MB are 200 calls.
  EXPECT_EQ(calls_of_launch({.call_s = 5e-6, .rotated_bytes = 1e6, .cache_bytes = 1e8}), 200);
  EXPECT_EQ(calls_of_launch({.call_s = 3e-3}), 1);
  // 3 ms and 1 MB: 20 ms have room for 6.
  EXPECT_EQ(calls_of_launch({.call_s = 3e-3, .rotated_bytes = 1e6, .cache_bytes = 1e8}), 6);
  EXPECT_EQ(calls_of_launch({.call_s = 1.0}), 1);
  EXPECT_EQ(calls_of_launch({.call_s = 0.0}), 512);
}

TEST(ChooseGpuPoints, StayWithinTheBudgetAndHoldSomeOut) {
  const MeasurePlan plan = h100_plan(480.0);
  double seconds = 0.0;
  std::set<std::string> keys;
  std::map<MeasuredOperator, std::set<PointRole>> roles;
  for (const OperatorPoint& point : choose_gpu_points(plan)) {
    seconds += rough_gpu_seconds(point, plan);
    EXPECT_TRUE(keys.insert(point_key(point)).second) << point_key(point);
    roles[point.op].insert(point.role);
    EXPECT_LE(rough_cost(point).flop, is_layer(point.op) ? 1e14 : 2e12) << point_key(point);
  }
  EXPECT_LE(seconds, plan.budget_s);
  EXPECT_TRUE(roles.contains(MeasuredOperator::kSync));
  EXPECT_FALSE(roles.contains(MeasuredOperator::kLayerNorm));  // no CUDA kernel
  EXPECT_FALSE(roles.contains(MeasuredOperator::kAllReduce));  // one GPU
  for (const auto& [op, of_op] : roles) {
    if (op == MeasuredOperator::kLaunch || op == MeasuredOperator::kSync) continue;
    if (is_layer(op))
      EXPECT_EQ(of_op, std::set<PointRole>{PointRole::kLayer});
    else
      EXPECT_TRUE(of_op.contains(PointRole::kFit) && of_op.contains(PointRole::kHeldOut))
          << operator_name(op);
  }
}

TEST(ChooseGpuPoints, DecodeFromOneRowAndSkewAllThreeModes) {
  std::map<MeasuredOperator, int> single_rows;
  std::map<MeasuredOperator, int> skewed;
  for (const OperatorPoint& point : choose_gpu_points(h100_plan(480.0))) {
    if (size_names(point.op).size() >= 3 && size_names(point.op).front() == "rows") {
      EXPECT_TRUE(point.is_bfloat16) << point_key(point);
      single_rows[point.op] += point.sizes[0] == 1 ? 1 : 0;
      skewed[point.op] += point.loads.empty() ? 0 : 1;
    }
  }
  ASSERT_EQ(single_rows.size(), 4U);  // gemm and the three modes
  for (const auto& [op, count] : single_rows) EXPECT_GE(count, 1) << operator_name(op);
  for (const auto op : {MeasuredOperator::kGroupedForward, MeasuredOperator::kGroupedDataGradient,
                        MeasuredOperator::kGroupedWeightGradient})
    EXPECT_GE(skewed[op], 2) << operator_name(op);
}

TEST(ChooseGpuPoints, OfSeveralGpusAreCollectives) {
  MeasurePlan plan = h100_plan(60.0);
  plan.ranks = 4;
  plan.transport = Transport::kNccl;
  for (const OperatorPoint& point : choose_gpu_points(plan)) {
    EXPECT_TRUE(is_collective(point.op));
    EXPECT_EQ(point.ranks, 4);
    EXPECT_EQ(point.sizes[0] % (64 * 4), 0);
  }
}

TEST(GpuBytes, HoldAtLeastWeightsRotatedPastTheCache) {
  const OperatorPoint point{.op = MeasuredOperator::kGroupedForward,
                            .is_bfloat16 = true,
                            .sizes = {4096, 8192, 4096, 64}};
  // 64 * 8192 * 4096 * 2 bytes are 4.29 GB, rows 4096 * (8192 + 4096) * 2 are 0.1 GB.
  EXPECT_GT(gpu_bytes(point, 5e7), 4.39e9);
  EXPECT_LT(gpu_bytes(point, 5e7), 5.0e9);
  const OperatorPoint small{
      .op = MeasuredOperator::kGemm, .is_bfloat16 = true, .sizes = {1, 256, 256}};
  EXPECT_GT(gpu_bytes(small, 5e7), 1e8);
}

TEST(Nvml, IsEmptyWithoutItsLibrary) {
  const Nvml nvml{"0000:1b:00.0", "libno-such-library.so.1"};
  EXPECT_FALSE(nvml.is_there());
  EXPECT_FALSE(nvml.read().clock_mhz.has_value());
  EXPECT_FALSE(nvml.read().power_w.has_value());
  EXPECT_EQ(nvml.driver_version(), "");
}

TEST(Nvml, ReadsClockAndPower) {
  const Nvml nvml{"0000:1b:00.0", SWITCHYARD_NVML_STAND_IN};
  ASSERT_TRUE(nvml.is_there());
  EXPECT_EQ(nvml.read().clock_mhz, 1410.0);
  EXPECT_EQ(nvml.read().power_w, 312.5);  // 312500 mW
  EXPECT_EQ(nvml.driver_version(), "580.65.06");
  EXPECT_FALSE(Nvml("0000:2c:00.0", SWITCHYARD_NVML_STAND_IN).is_there());
}

TEST(MeasureCommand, OfCudaSaysWhatToDoWithoutIt) {
  if (has_cuda()) GTEST_SKIP() << "this build has CUDA";
  try {
    static_cast<void>(measure_command({"--backend", "cuda", "--out", "/dev/null"}));
    FAIL() << "it measured";
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kDevice);
    EXPECT_NE(std::string{error.what()}.find("-DSWITCHYARD_CUDA=ON"), std::string::npos);
  }
}

TEST(MeasureCommand, RefusesBackendsAndTransportsThatCannotBe) {
  EXPECT_THROW(static_cast<void>(measure_command({"--backend", "tpu"})), KernelError);
  EXPECT_THROW(static_cast<void>(measure_command({"--transport", "nccl"})), KernelError);
  EXPECT_THROW(static_cast<void>(measure_command({"--backend", "cuda", "--transport", "loopback"})),
               KernelError);
}

}  // namespace
}  // namespace switchyard::kernels
