#include "cost_models/time_evidence.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/cost_models/measured_kernels.hpp"

namespace switchyard {
namespace {

using namespace literals;

DeviceProfile device_with(const std::vector<FlatKernel>& kernels) {
  DeviceProfile device;
  device.peak_bfloat16 = FlopPerSecond{1e12};
  device.memory_bandwidth = 10_GBps;
  device.matmul_efficiency.provenance = Provenance::kFitted;
  device.memory_efficiency.provenance = Provenance::kDatasheet;
  if (!kernels.empty()) device.kernels = flat_kernels(kernels);
  return device;
}

Operator norm(int element_bytes) {
  Operator op;
  op.name = "norm";
  op.traffic = {{{1.0, 100, 64, element_bytes}, 2.0}};
  op.kernel =
      KernelUse{.kind = KernelKind::kLayerNorm, .element_bytes = element_bytes, .sizes = {100, 64}};
  return op;
}

TEST(OperatorEvidence, IsThatOfTheMeasuredKernel) {
  const TimeEvidence evidence = operator_evidence(
      norm(4), device_with({{.kind = KernelKind::kLayerNorm, .time = 5_us, .residual = 0.2}}), {});
  EXPECT_EQ(evidence.provenance, Provenance::kFitted);
  EXPECT_NEAR(evidence.low, std::exp(-0.2), 1e-12);
  EXPECT_NEAR(evidence.high, std::exp(0.2), 1e-12);
}

TEST(OperatorEvidence, IsExtrapolatedToTypesThatWereNotMeasured) {
  const DeviceProfile device =
      device_with({{.kind = KernelKind::kLayerNorm, .time = 5_us, .element_bytes = 4}});
  EXPECT_EQ(operator_evidence(norm(2), device, {}).provenance, Provenance::kExtrapolated);
}

// Kernels were measured, but not this one: whatever the constants of the roofline are.
TEST(OperatorEvidence, IsAssumedWhereOtherKernelsWereMeasured) {
  DeviceProfile device = device_with({{.kind = KernelKind::kGemm, .time = 5_us}});
  EXPECT_EQ(operator_evidence(norm(4), device, {}).provenance, Provenance::kAssumed);
  EXPECT_EQ(operator_evidence(norm(4), device, {}).high, 1.0);
  device.step_interval = StepInterval{.low = 0.5, .high = 3.0};
  EXPECT_EQ(operator_evidence(norm(4), device, {}).low, 0.5);
  EXPECT_EQ(operator_evidence(norm(4), device, {}).high, 3.0);
}

TEST(OperatorEvidence, IsThatOfTheRooflineWithoutMeasuredKernels) {
  Operator product = norm(4);
  product.matmul = {.batch = 1, .rows = 8, .contraction = 8, .columns = 8};
  EXPECT_EQ(operator_evidence(norm(4), device_with({}), {}).provenance, Provenance::kDatasheet);
  EXPECT_EQ(operator_evidence(product, device_with({}), {}).provenance, Provenance::kFitted);
}

// Rank 1 has 7 rows, rank 0 has 50: what is said is of 50, which is outside the one row measured.
TEST(OperatorEvidence, IsOfTheRankWithMostRows) {
  Operator op = norm(4);
  op.routed = {.rows = RoutedRows::kReceivedByRank};
  op.kernel->has_routed_rows = true;
  op.kernel->sizes = {1, 1};
  const DeviceProfile device = device_with(
      {{.kind = KernelKind::kLayerNorm, .time = 5_us, .residual = 0.1, .covers_all = false}});
  EXPECT_EQ(operator_evidence(op, device, {}).provenance, Provenance::kMeasured);
  LayerRows rows{.between_ranks = TokenCounts::Zero(2, 2), .of_experts = {{50}, {7}}};
  rows.between_ranks(0, 0) = 50;
  rows.between_ranks(0, 1) = 7;
  EXPECT_EQ(operator_evidence(op, device, {&rows, 1}).provenance, Provenance::kExtrapolated);
}

// 25 % above, and as much below as 1 / 1.25.
TEST(CollectiveEvidence, HasTheBandOfItsLibrary) {
  LibraryCollective collective;
  EXPECT_EQ(collective_evidence(collective).provenance, Provenance::kAssumed);
  EXPECT_EQ(collective_evidence(collective).low, 0.5);  // nothing was measured: half to twice
  EXPECT_EQ(collective_evidence(collective).high, 2.0);
  collective.provenance = Provenance::kExtrapolated;
  collective.error_band = 0.25;
  EXPECT_EQ(collective_evidence(collective).provenance, Provenance::kExtrapolated);
  EXPECT_DOUBLE_EQ(collective_evidence(collective).low, 0.8);
  EXPECT_DOUBLE_EQ(collective_evidence(collective).high, 1.25);
}

}  // namespace
}  // namespace switchyard
