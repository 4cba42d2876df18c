#pragma once

#include <optional>
#include <string>

#include "sim/cli/traces/gpu_trace.hpp"
#include "sim/cli/value_type.hpp"

namespace switchyard {

/// What is wrong with the event, if anything; else it is in the trace, where it counts.
[[nodiscard]] std::string add_kineto_event(const Json& event, GpuTrace& trace);

/// Device and multiprocessors of `deviceProperties`, where they are given.
void read_kineto_device(const Json& root, GpuTrace& trace);

}  // namespace switchyard
