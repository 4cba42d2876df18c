#pragma once

#include <array>
#include <string_view>

#include "cost_models/calibration/kernel_call.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// Which speed predictions are of: what kernels do in short runs, or what the device keeps when it
/// does nothing else for long.
enum class KernelSpeed { kBurst, kSustained };

/// "burst", "sustained".
[[nodiscard]] std::string_view speed_name(KernelSpeed speed);

/// Classes of operators that slow down alike, as in files of sustained speeds.
inline constexpr std::array<std::string_view, 6> kSustainedClasses{
    "product_bfloat16", "product_float32", "grouped", "memory", "attention", "collectives"};

/// The class of a kernel; empty for those that wait more than they work (launch, sync, plan).
[[nodiscard]] std::string_view sustained_class(KernelKind kind, int element_bytes);

/// What a class was measured to keep.
struct SustainedSpeed {
  double ratio = 1;     ///< of the speed in short runs; at most 1
  Seconds burst{};      ///< a call in the first seconds
  Seconds sustained{};  ///< and in the last half
  Seconds duration{};   ///< that it ran
};

}  // namespace switchyard
