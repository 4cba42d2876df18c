#pragma once

#include <string>

#include "sim/core/error.hpp"
#include "tests/workload/routing/trace_examples.hpp"

namespace switchyard {

/// Reads `content` as a trace. Nothing but a ConfigError or a trace that is written and read back
/// equal may come of it. Shared by the mutation test and the fuzzer.
/// @return whether it was a trace
inline bool read_hostile_trace(const std::string& content, const std::string& name,
                               int num_experts) {
  RoutingTrace trace;
  try {
    trace = parse_routing_trace(content, name, num_experts);
  } catch (const ConfigError&) {
    return false;
  }
  SWITCHYARD_CHECK(parse_routing_trace(npy_text(trace), "again.npy", num_experts) == trace,
                   "another trace came back");
  return true;
}

}  // namespace switchyard
