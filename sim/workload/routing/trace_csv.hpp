#pragma once

#include <string>
#include <string_view>

#include "sim/workload/routing/routing_trace.hpp"

namespace switchyard {

/// Reads the text of a `.csv` trace as routing_trace.hpp documents it, but that a trace without any
/// expert passes.
/// @throws ConfigError with name, line and column (in bytes, from 1).
[[nodiscard]] RoutingTrace parse_trace_csv(std::string_view text, const std::string& name,
                                           int num_experts);

}  // namespace switchyard
