#pragma once

#include <vector>

#include "sim/engine/event_simulator.hpp"
#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"

namespace switchyard {

/// Executes `graph` on `num_ranks` ranks by the rules of Task, with the time and the network of
/// `simulator`, which must be fresh. Messages are sent just in time.
/// Returns the spans in the order of Timeline.
[[nodiscard]] std::vector<Span> run_graph(const TaskGraph& graph, int num_ranks,
                                          EventSimulator& simulator);

/// How long `task` occupies `rank`: its duration times the rank's slowdown.
[[nodiscard]] Seconds compute_time(const Task& task, RankId rank);

}  // namespace switchyard
