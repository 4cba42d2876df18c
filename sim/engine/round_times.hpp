#pragma once

#include <string_view>
#include <vector>

#include "cost_models/collective_schedule.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// How the times of a round were found. All are exact.
///
/// kFlows:      every flow by itself, as exact_times().
/// kSymmetry:   the flows of one rank of each orbit of Topology::symmetry stand for all.
/// kRefinement: classes of like flows, found by refine().
enum class RoundMethod { kFlows, kSymmetry, kRefinement };

/// "flows", "symmetry" or "refinement".
[[nodiscard]] std::string_view method_name(RoundMethod method);

/// A round that all ranks begin at date 0, with the network for themselves.
struct RoundTimes {
  RoundMethod method = RoundMethod::kFlows;
  std::vector<Seconds> left;  ///< by rank: when its last message, sent or received, is complete
  Seconds makespan;
  Seconds bound;  ///< of the busiest link
};

/// Max-min fair sharing of one repetition of `round`, latencies included. Dates within 1e-12 of
/// each other are made equal.
/// Cost: all pairs with symmetry, O(ranks * longest path) for each representative.
[[nodiscard]] RoundTimes round_times(const Round& round, const Topology& topology);

}  // namespace switchyard
