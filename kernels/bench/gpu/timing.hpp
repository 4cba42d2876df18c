#pragma once

#include <functional>

#include "kernels/cuda/cuda_backend.hpp"

namespace switchyard::kernels {

/// Times of one call in microseconds.
struct CallTimes {
  double median_us = 0.0;
  double p10_us = 0.0;
  double p90_us = 0.0;
  int repeats = 0;  ///< launches that were timed
  int calls = 0;    ///< of each launch
};

/// How a call is timed: launches of `calls` calls, one for each set of buffers in turn.
struct TimingPlan {
  int calls = 1;
  bool as_graph = true;  ///< otherwise queued call by call
  double limit_s = 0.5;  ///< of all timed launches; there are at least kMinRepeats
};
inline constexpr int kMinRepeats = 20;

/// Warms up for 25 ms and two launches, then times each launch by events.
/// @param call  queues the call on set number i of the buffers
[[nodiscard]] CallTimes time_calls(CudaBackend& cuda, const TimingPlan& plan,
                                   const std::function<void(int)>& call);

}  // namespace switchyard::kernels
