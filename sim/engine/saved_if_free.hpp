#pragma once

#include <vector>

#include "sim/engine/class_shares.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// Fills in ClassShare::saved_if_free of a step whose microbatch is executed num_microbatches
/// times, by folded_ends() with and without the class.
void add_savings(const StepGraph& graph, const TaskGraph& tasks, const Topology& topology,
                 std::vector<ClassShare>& shares);

/// The same of launches that take no time.
[[nodiscard]] Seconds saved_by_launches(const StepGraph& graph, const TaskGraph& tasks,
                                        const Topology& topology);

/// The tasks of the microbatch and the update of `graph` without what class `without` takes.
[[nodiscard]] std::vector<Task> tasks_without(const StepGraph& graph, const TaskGraph& tasks,
                                              OperatorClass without);

}  // namespace switchyard
