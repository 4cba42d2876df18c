#pragma once

#include <vector>

#include "cost_models/all_to_all.hpp"
#include "cost_models/build_collective.hpp"
#include "cost_models/collective_bounds.hpp"
#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// Bytes of the whole schedule on each link, by LinkId.
[[nodiscard]] std::vector<Bytes> link_loads(const CollectiveSchedule& schedule,
                                            const Topology& topology);

/// The longest latency of the paths of a round's messages; 0 without messages.
[[nodiscard]] Seconds longest_latency(const Round& round, const Topology& topology);

/// Time of a schedule run alone, in the analytic model:
///
///   T = startup + sum over rounds of (max over flows f of latency_f + max over links l of
///       load_l / B_l)
///
/// where latency_f = path_latency(), load_l = bytes of the round that cross l and B_l = its
/// bandwidth. Exact when all messages of a round that matter end together and the longest path is
/// among them; otherwise an approximation: max-min sharing can take longer than the busiest link
/// alone, and ranks that finish a round early may start the next, which saves time.
[[nodiscard]] Seconds schedule_time(const CollectiveSchedule& schedule, const Topology& topology);

/// No execution of `schedule` on the paths of `topology` is faster than its busiest link needs for
/// all bytes that cross it: T >= max over links l of (sum over all rounds of load_l) / B_l.
[[nodiscard]] Seconds link_load_bound(const CollectiveSchedule& schedule, const Topology& topology);

}  // namespace switchyard
