#pragma once

#include <sstream>
#include <string>
#include <string_view>

#include "sim/workload/routing/routing_trace.hpp"

namespace switchyard {

/// Three tokens, two layers, top-2 of 8 experts; token 2 makes no second choice in layer 1.
inline RoutingTrace small_trace() {
  return {.num_tokens = 3,
          .num_layers = 2,
          .num_choices = 2,
          .num_experts = 8,
          .experts = {0, 1, 7, 2, 0, 3, 7, 1, 4, 0, 5, -1}};
}

inline std::string npy_text(const RoutingTrace& trace) {
  std::ostringstream out;
  write_routing_trace(trace, out);
  return out.str();
}

/// The same as small_trace().
inline constexpr std::string_view kSmallCsv =
    "token,layer,expert_0,expert_1\n"
    "0,0,0,1\n"
    "0,1,7,2\n"
    "1,0,0,3\n"
    "1,1,7,1\n"
    "2,0,4,0\n"
    "2,1,5,-1\n";

}  // namespace switchyard
