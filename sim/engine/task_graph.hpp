#pragma once

#include <string>
#include <vector>

#include "cost_models/collective_schedule.hpp"
#include "cost_models/time_evidence.hpp"
#include "sim/core/ids.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// A piece of work that every rank does once (single program, multiple data).
///
/// A compute task occupies its rank for `duration`; a rank runs one compute task at a time, in the
/// order of the graph. A collective task joins all ranks: rank r enters when its dependencies on r
/// are done, and leaves when every flow from and to r is complete. It occupies no compute.
struct Task {
  std::string name;      ///< "encoder.3.experts.forward"
  std::string category;  ///< what a breakdown adds up: "attention", "experts", "all-to-all", ...
  std::vector<TaskId> dependencies;  ///< earlier tasks; per rank, not across ranks

  Seconds duration;                   ///< of a compute task, on every rank
  std::vector<double> rank_slowdown;  ///< factor on `duration` by rank; empty means 1 everywhere

  Seconds launched;   ///< no rank starts or enters earlier than this after the start of the graph
  int schedule = -1;  ///< index into TaskGraph::schedules for a collective; -1 for compute

  Flop flop;    ///< useful operations per rank, for the trace
  Bytes bytes;  ///< memory traffic (compute) or bytes sent (collective) per rank, for the trace

  TimeEvidence evidence{};  ///< where `duration`, or the collective's time, comes from
};

/// Tasks in a valid order (dependencies point backwards), and the collectives they use.
struct TaskGraph {
  std::vector<Task> tasks;
  std::vector<CollectiveSchedule> schedules;
};

[[nodiscard]] inline bool is_collective(const Task& task) { return task.schedule >= 0; }

}  // namespace switchyard
