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
[[nodiscard]] std::vector<Span> analytic_spans(const TaskGraph& graph, const Topology& topology);

/// Runs SimGrid in a forked child. Only in builds with SWITCHYARD_HAS_SIMGRID.
/// @throws std::runtime_error when the child fails.
[[nodiscard]] std::vector<Span> simgrid_spans(const TaskGraph& graph, const Topology& topology);

}  // namespace switchyard
