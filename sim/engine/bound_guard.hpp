#pragma once

#include <cstddef>
#include <span>

#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"

namespace switchyard {

/// Aborts, naming the values, when a collective was faster than its bound allows, from the first
/// rank's entry to the last one's exit. That would be a bug in an engine.
///
/// The tolerance is 1e-9 of the bound plus what clocks round: 1 ps at either end of each round
/// (SimGrid joins events that close) and a few units in the last place of the date.
///
/// @param bound  the larger of link_load_bound() and proven_bound of the task's schedule.
/// @param spans  of this task, one for each rank.
void check_not_faster_than(Seconds bound, const Task& task, std::span<const Span> spans,
                           std::size_t num_rounds);

}  // namespace switchyard
