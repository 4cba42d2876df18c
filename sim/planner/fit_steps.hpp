#pragma once

#include <functional>
#include <span>

#include "sim/planner/fit_constants.hpp"

namespace switchyard {

/// The constants of a device and its host that only whole steps show; see DeviceProfile.
struct StepConstants {
  Constant sustained_speed;
  Constant memory_efficiency;  ///< where the framework's kernels are not those of a profile
  QuantityConstant<Seconds> host_launch;
  double mean_error = 0;  ///< mean of |log(predicted / measured)| over the cases
};

/// Finds the constants that minimise the sum over `cases` of |log(predicted / measured)|: absolute
/// errors, so that a few runs that went wrong do not decide.
///
/// Only constants whose provenance is `fitted` vary, within their ranges, from their values on.
/// Predictions are those of simulate_training() by the closed forms. Constants and ranges are those
/// of the first case's device. Precondition: at least one case (checked).
/// @param in_parallel  calls its argument for 0 .. count - 1, in any order
/// @param evaluated    called after each evaluation of all cases
/// @throws ConfigError when no constant may vary.
[[nodiscard]] StepConstants fit_steps(
    std::span<const FitCase> cases,
    const std::function<void(std::size_t count, const std::function<void(std::size_t)>&)>&
        in_parallel,
    const std::function<void(const StepConstants&)>& evaluated);

/// `run` with other constants.
[[nodiscard]] TrainingRunSpec with_constants(TrainingRunSpec run, const StepConstants& constants);

}  // namespace switchyard
