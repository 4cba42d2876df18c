#include "kernels/measure/calls_of_launch.hpp"

#include <algorithm>
#include <cmath>

namespace switchyard::kernels {

int calls_of_launch(const LaunchDemand& demand) {
  constexpr double kLeast_s = 5e-4;  // events are a few microseconds off
  constexpr double kMost_s = 2e-2;
  constexpr double kMostCalls = 512.0;
  const double call_s = std::max(demand.call_s, 1e-7);
  double calls = std::ceil(kLeast_s / call_s);
  if (demand.rotated_bytes > 0.0)
    calls = std::max(calls, std::ceil(2.0 * demand.cache_bytes / demand.rotated_bytes));
  return static_cast<int>(std::max(1.0, std::min({calls, kMostCalls, kMost_s / call_s})));
}

}  // namespace switchyard::kernels
