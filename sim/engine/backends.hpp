#pragma once

#include <vector>

#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"
#include "topologies/topology.hpp"

// The engines behind execute(), which checks the graph before and the result after. Each returns
// the spans in the order of Timeline.

namespace switchyard {

/// A collective starts on all ranks when the last one enters and takes schedule_time() on each, as
/// if alone in the network. A schedule without messages makes nobody wait.
[[nodiscard]] std::vector<Span> analytic_spans(const TaskGraph& graph, const Topology& topology,
                                               int shown_ranks);

/// Whether fluid_spans() may take the times of a collective from round_times().
enum class ServeRounds { kYes, kNo };

/// Max-min fair sharing between all flows under way, in a FluidNetwork.
///
/// A collective of one round which all ranks enter at the same date, while no other is under way,
/// has the times of round_times(): no flow of another task can meet its flows unless a task sends
/// before the last rank has left. When one does, the execution starts again, with the flows of that
/// schedule one by one; so the result differs from that of ServeRounds::kNo by rounding only.
[[nodiscard]] std::vector<Span> fluid_spans(const TaskGraph& graph, const Topology& topology,
                                            ServeRounds serve = ServeRounds::kYes);

/// Runs SimGrid in a forked child. Only in builds with SWITCHYARD_HAS_SIMGRID.
/// @throws std::runtime_error when the child fails.
[[nodiscard]] std::vector<Span> simgrid_spans(const TaskGraph& graph, const Topology& topology);

}  // namespace switchyard
