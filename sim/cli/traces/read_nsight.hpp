#pragma once

#include <string>

#include "sim/cli/traces/gpu_trace.hpp"

namespace switchyard {

/// Reads what `nsys stats --report cuda_gpu_trace --format csv` prints: columns Start, Duration
/// (with their units in brackets), Device where it is there, Name. Lines before the head pass. It
/// has neither shapes nor operators nor steps.
/// @throws ConfigError with every problem by line (20 at most).
[[nodiscard]] GpuTrace read_nsight(const std::string& text, const std::string& file);

}  // namespace switchyard
