#pragma once

#include <optional>
#include <string>

#include "cost_models/library_collective.hpp"
#include "sim/engine/engine.hpp"

namespace switchyard {

/// One collective alone in the network.
struct CollectiveResult {
  CollectiveAlgorithm algorithm = CollectiveAlgorithm::kAuto;  ///< what was done, never kAuto
  Seconds time;        ///< from the entry of all ranks to the exit of the last
  Seconds bound;       ///< lower_bound(): whatever the algorithm and the paths
  Seconds link_load;   ///< link_load_bound(): for this schedule on these paths
  Bytes busiest_link;  ///< most bytes on one link, links on a chip left out
  Provenance provenance = Provenance::kAssumed;  ///< of the library's startup and efficiency
  double error_band = 0;                         ///< see LibraryCollective
  std::string method;  ///< how the engine came by the time: "flows", "symmetry", "grouped", ...
};

/// Runs a collective that all ranks enter at once, as library_collective() builds it.
/// @throws ConfigError as build_collective(); std::runtime_error as execute().
[[nodiscard]] CollectiveResult simulate_collective(EngineKind engine,
                                                   const CollectiveRequest& request,
                                                   const Topology& topology,
                                                   const std::optional<CollectiveProfile>& library);

/// algbw and busbw as nccl-tests defines them: S / time, and that times the share of S that the
/// busiest port carries at least: 2 (n - 1)/n for all-reduce, 1 for point-to-point, else (n - 1)/n.
/// Source: nccl-tests, doc/PERFORMANCE.md.
[[nodiscard]] BytesPerSecond algorithm_bandwidth(Bytes size, Seconds time);
[[nodiscard]] BytesPerSecond bus_bandwidth(CollectiveKind kind, int group_size, Bytes size,
                                           Seconds time);

}  // namespace switchyard
