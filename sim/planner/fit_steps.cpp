#include "sim/planner/fit_steps.hpp"

#include <cmath>
#include <vector>

#include "sim/core/error.hpp"
#include "sim/planner/minimize.hpp"

namespace switchyard {
namespace {

/// Enough for three constants to the third digit, which is more than steps tell.
constexpr int kMaxEvaluations = 160;

/// Sets the constants that vary to `values`, in seconds where they are times.
void set(const std::vector<double>& values, StepConstants& constants) {
  std::size_t next = 0;
  if (constants.sustained_speed.provenance == Provenance::kFitted)
    constants.sustained_speed.value = values.at(next++);
  if (constants.memory_efficiency.provenance == Provenance::kFitted)
    constants.memory_efficiency.value = values.at(next++);
  if (constants.host_launch.provenance == Provenance::kFitted)
    constants.host_launch.value = Seconds{values.at(next++)};
}

std::vector<SearchRange> ranges_of(const StepConstants& constants) {
  std::vector<SearchRange> ranges;
  for (const Constant* constant : {&constants.sustained_speed, &constants.memory_efficiency})
    if (constant->provenance == Provenance::kFitted)
      ranges.push_back(
          {.start = constant->value, .lowest = constant->lowest, .highest = constant->highest});
  const QuantityConstant<Seconds>& launch = constants.host_launch;
  if (launch.provenance == Provenance::kFitted)
    ranges.push_back({.start = launch.value.base(),
                      .lowest = launch.lowest.base(),
                      .highest = launch.highest.base()});
  return ranges;
}

}  // namespace

TrainingRunSpec with_constants(TrainingRunSpec run, const StepConstants& constants) {
  run.system.device.sustained_speed = constants.sustained_speed;
  run.system.device.memory_efficiency = constants.memory_efficiency;
  run.system.device.host_launch = constants.host_launch;
  return run;
}

StepConstants fit_steps(
    std::span<const FitCase> cases,
    const std::function<void(std::size_t, const std::function<void(std::size_t)>&)>& in_parallel,
    const std::function<void(const StepConstants&)>& evaluated) {
  SWITCHYARD_CHECK(!cases.empty(), "nothing to fit to");
  const DeviceProfile& device = cases.front().run.system.device;
  StepConstants constants{.sustained_speed = device.sustained_speed,
                          .memory_efficiency = device.memory_efficiency,
                          .host_launch = device.host_launch};
  const std::vector<SearchRange> ranges = ranges_of(constants);
  if (ranges.empty())
    throw ConfigError(
        "the device marks none of sustained_speed, memory_efficiency and host_launch with "
        "\"provenance: fitted\", so "
        "a fit may vary none");
  std::vector<double> errors(cases.size());
  const auto cost = [&](const std::vector<double>& values) {
    set(values, constants);
    in_parallel(cases.size(), [&](std::size_t i) {
      TrainingRunSpec run = with_constants(cases[i].run, constants);
      run.folding = Folding::kOneForAll;
      const TrainingResult result = simulate_training(run, EngineKind::kAnalytic);
      errors[i] = std::abs(std::log(result.examples_rate / cases[i].measured));
    });
    double sum = 0;
    for (const double error : errors) sum += error;
    constants.mean_error = sum / static_cast<double>(cases.size());
    evaluated(constants);
    return constants.mean_error;
  };
  const std::vector<double> best = minimize(cost, ranges, kMaxEvaluations);
  (void)cost(best);  // leaves the best in `constants`
  return constants;
}

}  // namespace switchyard
