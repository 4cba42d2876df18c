#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "sim/cli/compare/kernel_classes.hpp"
#include "sim/cli/traces/gpu_trace.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

using TimesByClass = std::array<Seconds, kNumTimeClasses>;

/// Kernels whose names say nothing.
struct UnmappedKernel {
  std::string name{};
  int calls = 0;
  Seconds time{};
};

/// One step of one device as measured.
struct ObservedStep {
  std::string name{};    ///< "ProfilerStep#12, the median of 5 steps", "the whole trace"
  Seconds span{};        ///< from its begin to its end
  TimesByClass times{};  ///< of collectives: while nothing is computed
  Seconds unmapped{};
  Seconds idle{};                                  ///< while nothing runs
  std::vector<UnmappedKernel> unmapped_kernels{};  ///< longest first
};

/// The step of median length, of the device that is busy longest. A kernel belongs to the step
/// in which it was launched; without that in the trace, to the one in which it begins. A trace
/// without steps is one. Kernels of streams side by side all count, so that times may add up to
/// more than the span.
/// Precondition: there is a kernel (checked).
[[nodiscard]] ObservedStep observed_step(const GpuTrace& trace,
                                         std::span<const KernelClass> classes);

/// Reads a CSV with the columns class and time_us: classes by time_class_name(), and where it has
/// them idle and step; without step, it is the sum.
/// @throws ConfigError with every problem by line.
[[nodiscard]] ObservedStep read_observed_classes(const std::string& text, const std::string& file);

}  // namespace switchyard
