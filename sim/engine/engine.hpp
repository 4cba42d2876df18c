#pragma once

#include <string_view>

#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// The engines that can execute a task graph.
///
/// kSimGrid: every flow shares the links of its path max-min fairly with all others under way. The
///           reference. Runs in a forked child, because SimGrid allows one engine per process.
/// kFluid:    the same sharing, by our own solver: many times faster, and in this process.
/// kAnalytic: no contention between tasks; each collective takes the time of its closed form
///           (most loaded link and path latency, round by round). Microseconds; for fits and
///           search.
enum class EngineKind { kSimGrid, kAnalytic, kFluid };

/// Whose spans a timeline has.
enum class Folding {
  kAllRanks,
  kOneForAll,  ///< rank 0 for all, where the engine gives all ranks the same dates
};

/// Executes `graph` once on all ranks of `topology` and returns what happened when.
/// The same input gives the same timeline to the last bit.
///
/// @param folding  kOneForAll holds for kAnalytic and tasks without rank_slowdown, whose ranks
/// start
///                 and end everything together; then Timeline::num_ranks is 1. Else all ranks.
/// @throws std::runtime_error when kSimGrid was not built in or its process failed.
[[nodiscard]] Timeline execute(EngineKind engine, const TaskGraph& graph, const Topology& topology,
                               Folding folding = Folding::kAllRanks);

/// "simgrid", "fluid" or "analytic".
[[nodiscard]] std::string_view engine_name(EngineKind engine);

/// True when this build contains the SimGrid engine.
[[nodiscard]] bool has_simgrid();

}  // namespace switchyard
