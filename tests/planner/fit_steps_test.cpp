#include "sim/planner/fit_steps.hpp"

#include <gtest/gtest.h>

#include "sim/core/error.hpp"
#include "sim/workload/partition/presets.hpp"
#include "tests/topologies/torus_shapes.hpp"
#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

constexpr Constant kSpeed{
    .value = 0.9, .provenance = Provenance::kFitted, .lowest = 0.6, .highest = 1.0};
constexpr QuantityConstant<Seconds> kLaunch{
    .value = 20_us, .provenance = Provenance::kFitted, .lowest = 0_us, .highest = 100_us};

/// Sequences of 512 and 114 tokens on 8 cores of 2 x 2 chips.
FitCase case_of(const std::string& name, const T5Shape& shape, std::int64_t sequences) {
  TrainingRunSpec run;
  run.system.network = torus_of({2, 2}, {.bandwidth = 82_GBps, .latency = 1_us}, 2);
  run.system.device.peak_bfloat16 = 61.5_TFLOPps;
  run.system.device.memory_bandwidth = 450_GBps;
  run.system.device.memory_capacity = 16_GiB;
  run.system.device.sustained_speed = kSpeed;
  run.system.device.memory_efficiency = {.value = 0.8, .provenance = Provenance::kAssumed};
  run.system.device.host_launch = kLaunch;
  run.step = step_of(t5(shape));
  run.step.sequences = sequences;
  run.step.partition = data_partition(8);
  run.step.microbatch_sequences = 1;
  run.draws = 0;
  return {.name = name, .run = run, .measured = {}};
}

/// Wide layers, which products decide, and narrow ones with few tokens, which launches decide.
std::vector<FitCase> measured_with(double speed, Seconds launch) {
  const T5Shape wide{.layers = 2, .d_model = 2048, .d_ff = 8192, .num_heads = 16};
  const T5Shape narrow{.layers = 2, .d_model = 128, .d_ff = 256, .num_heads = 2};
  std::vector<FitCase> cases{case_of("wide", wide, 128), case_of("narrow", narrow, 8),
                             case_of("both", wide, 16)};
  for (FitCase& c : cases) {
    TrainingRunSpec truth = c.run;
    truth.system.device.sustained_speed.value = speed;
    truth.system.device.host_launch.value = launch;
    c.measured = simulate_training(truth, EngineKind::kAnalytic).examples_rate;
  }
  return cases;
}

void one_by_one(std::size_t count, const std::function<void(std::size_t)>& work) {
  for (std::size_t i = 0; i < count; ++i) work(i);
}

void ignore(const StepConstants& /*at*/) {}

TEST(FitSteps, RecoversTheConstantsBehindTheMeasurements) {
  const StepConstants fitted = fit_steps(measured_with(0.77, 63_us), one_by_one, ignore);
  EXPECT_NEAR(fitted.sustained_speed.value, 0.77, 0.77e-2);
  EXPECT_NEAR(fitted.host_launch.value.base(), 63e-6, 63e-8);
  EXPECT_LT(fitted.mean_error, 1e-2);
  EXPECT_EQ(fitted.memory_efficiency.value, 0.8);  // assumed, so it stays
}

// One run that took ten times as long for reasons of its own does not move the constants: three
// others agree, and the sum of absolute errors is least where they are met.
TEST(FitSteps, IsNotMovedByARunThatWentWrong) {
  std::vector<FitCase> cases = measured_with(0.77, 63_us);
  for (const FitCase& c : measured_with(0.77, 63_us)) cases.push_back(c);
  cases.push_back(cases[0]);
  cases.back().measured = 0.1 * cases.back().measured;
  const StepConstants fitted = fit_steps(cases, one_by_one, ignore);
  EXPECT_NEAR(fitted.sustained_speed.value, 0.77, 0.77e-2);
  EXPECT_NEAR(fitted.host_launch.value.base(), 63e-6, 63e-8);
}

TEST(FitSteps, RefusesToFitNothing) {
  std::vector<FitCase> cases = measured_with(0.77, 63_us);
  cases[0].run.system.device.sustained_speed.provenance = Provenance::kAssumed;
  cases[0].run.system.device.host_launch.provenance = Provenance::kExtrapolated;
  EXPECT_THROW((void)fit_steps(cases, one_by_one, ignore), ConfigError);
}

}  // namespace
}  // namespace switchyard
