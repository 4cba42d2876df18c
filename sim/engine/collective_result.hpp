#pragma once

#include <cstdint>
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
  Bytes busiest_link;  ///< most bytes of payload on one link, links on a chip left out
  Provenance provenance = Provenance::kAssumed;  ///< of the library's startup and efficiency
  double error_band = 0;                         ///< see LibraryCollective
  /// How the fluid engine came by the time: "symmetry", "refinement", "flows" (one round, exact),
  /// "grouped" (one round, in steps), "events" (rounds that depend on each other, exact).
  std::string method;
};

/// How a collective is simulated.
struct CollectiveEngine {
  EngineKind engine = EngineKind::kFluid;
  /// Whether the fluid engine may take grouped_times() for one round of more than kGroupedFrom
  /// irregular messages, whose exact times would take minutes.
  bool may_group = true;
};
inline constexpr std::int64_t kGroupedFrom = 150'000;

/// Runs a collective that all ranks enter at once, as library_collective() builds it.
/// @throws ConfigError as build_collective(); std::runtime_error as execute().
[[nodiscard]] CollectiveResult simulate_collective(const CollectiveEngine& engine,
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
