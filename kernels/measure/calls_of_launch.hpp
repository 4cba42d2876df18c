#pragma once

namespace switchyard::kernels {

/// A kernel that is launched several times between two events.
struct LaunchDemand {
  double call_s = 0.0;         ///< one call, roughly
  double rotated_bytes = 0.0;  ///< memory that each call takes anew; 0: none
  double cache_bytes = 0.0;    ///< of the last level
};

/// Calls between two events: so many that what events cost is below 1 %, and that a call's memory
/// has left the cache when its turn comes again; at most 512, and 20 ms of them.
[[nodiscard]] int calls_of_launch(const LaunchDemand& demand);

}  // namespace switchyard::kernels
