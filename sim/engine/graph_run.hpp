#pragma once

#include <vector>

#include "sim/engine/event_simulator.hpp"
#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"

namespace switchyard {

/// Times of collectives that have the network for themselves.
class AloneTimes {
 public:
  AloneTimes() = default;
  AloneTimes(const AloneTimes&) = delete;
  AloneTimes& operator=(const AloneTimes&) = delete;

  /// Whether times() of this schedule can be asked for.
  [[nodiscard]] virtual bool may_serve(int schedule) const = 0;

  /// When each rank leaves if all enter at date 0, without the startup of the schedule.
  [[nodiscard]] virtual const std::vector<Seconds>& times(int schedule) = 0;

 protected:
  ~AloneTimes() = default;
};

/// A collective had times of AloneTimes, but another began before its last rank had left.
struct ServedTooEarly {
  int schedule = -1;
};

/// Executes `graph` on `num_ranks` ranks by the rules of Task, with the time and the network of
/// `simulator`, which must be fresh. Messages are sent just in time.
/// Returns the spans in the order of Timeline.
///
/// @param alone  where given, collectives that all ranks enter at one date while no other is under
///               way send no messages but take these times.
/// @throws ServedTooEarly when that was wrong.
[[nodiscard]] std::vector<Span> run_graph(const TaskGraph& graph, int num_ranks,
                                          EventSimulator& simulator, AloneTimes* alone = nullptr);

/// How long `task` occupies `rank`: its duration times the rank's slowdown.
[[nodiscard]] Seconds compute_time(const Task& task, RankId rank);

}  // namespace switchyard
