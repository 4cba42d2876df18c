#pragma once

#include <vector>

#include "sim/core/ids.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// One task of one rank, in simulated time.
struct Span {
  TaskId task;
  RankId rank;
  Seconds start;  ///< compute: occupied from here; collective: the rank entered it
  Seconds end;
};

/// What happened when. Spans are ordered by task, then rank: span [t * num_ranks + r].
struct Timeline {
  int num_ranks = 0;
  std::vector<Span> spans;
  std::vector<Bytes> link_bytes;  ///< by LinkId: what crossed each link
  Seconds makespan;
};

}  // namespace switchyard
