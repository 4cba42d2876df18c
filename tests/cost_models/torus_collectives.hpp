#pragma once

#include "cost_models/collectives.hpp"
#include "topologies/torus.hpp"

namespace switchyard {

/// All-reduce of one `buffer` per rank over all ranks of a torus, by the torus algorithm.
inline CollectiveSchedule torus_all_reduce(const TorusSpec& torus, Bytes buffer) {
  return build_collective({.kind = CollectiveKind::kAllReduce,
                           .algorithm = CollectiveAlgorithm::kTorus,
                           .size = buffer},
                          build_torus(torus));
}

/// lower_bound() of the all-reduce over all ranks.
inline Seconds all_reduce_lower_bound(const TorusSpec& torus, Bytes buffer) {
  return lower_bound({.kind = CollectiveKind::kAllReduce, .size = buffer}, build_torus(torus));
}

/// lower_bound() of the uniform all-to-all over all ranks.
inline Seconds all_to_all_lower_bound(const TorusSpec& torus, Bytes bytes_per_pair) {
  return lower_bound({.kind = CollectiveKind::kAllToAll, .size = num_ranks(torus) * bytes_per_pair},
                     build_torus(torus));
}

}  // namespace switchyard
