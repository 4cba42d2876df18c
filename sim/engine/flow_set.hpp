#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cost_models/collective_schedule.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// Flows, the links that each crosses, and the date at which it begins to move.
///
/// Links of flow f: links[first_link[f]] up to links[first_link[f + 1]].
struct FlowSet {
  std::vector<BytesPerSecond> capacity;  ///< by LinkId
  std::vector<Bytes> bytes;              ///< by flow; positive
  std::vector<Seconds> start;            ///< by flow; empty when all begin at 0
  std::vector<std::uint32_t> first_link{0};
  std::vector<LinkId> links;
};

[[nodiscard]] inline std::size_t num_flows(const FlowSet& set) { return set.bytes.size(); }

[[nodiscard]] inline std::span<const LinkId> links_of(const FlowSet& set, std::size_t flow) {
  return {set.links.data() + set.first_link[flow], set.links.data() + set.first_link[flow + 1]};
}

/// The messages among `flows` that cross the network, in order, each beginning when its path
/// latency has passed. Links that can never bind are left out: those which carry all their flows at
/// the largest rate that any of them has elsewhere on its path.
/// Cost: 4 bytes for each link on each path.
[[nodiscard]] FlowSet make_flow_set(const Topology& topology, std::span<const Flow> flows);

/// max over links l of (bytes that cross l) / B_l: no sharing of the links is faster.
[[nodiscard]] Seconds link_load_bound(const FlowSet& set);

/// When each flow of a set is complete.
struct FlowTimes {
  std::vector<Seconds> finish;  ///< by flow
  Seconds makespan;             ///< the last of them; 0 without flows
  Seconds bound;                ///< link_load_bound(): makespan >= bound
  int num_steps = 0;            ///< times at which rates changed
};

/// Exact max-min fair sharing: at any time no flow can be faster without making a flow slower that
/// is not faster than it. Flows that end within 1e-12 of the date end together.
///
/// A flow is as fast as the level of its bottleneck, the link of its path whose users that are not
/// held back elsewhere get least:
///
///   level_l = (B_l - sum over m != l of n_lm level_m) / n_ll
///
/// where n_lm = flows under way that cross l and have bottleneck m. So all flows of a bottleneck
/// progress alike, and a clock per link (bytes delivered to each of them) gives their ends without
/// work per flow. When flows end, levels are recomputed in increasing order from the lowest that
/// changed; flows change their bottleneck where level_l < level_m for some n_lm > 0. Levels without
/// such a pair are the max-min fair ones: every flow then has a saturated link on which no flow is
/// faster.
///
/// Cost: at the beginning and for each date at which flows begin, O(links on paths); for each date
/// at which flows end, O(pairs l, m with n_lm > 0).
/// Source: Bertsekas, Gallager, "Data Networks", 2nd ed. 1992, section 6.5.2 (max-min fairness,
///         bottlenecks and filling).
[[nodiscard]] FlowTimes exact_times(const FlowSet& set);

/// How grouped_times() trades error for time.
struct Grouping {
  double fraction = 0.12;          ///< of the flows under way that end in a step
  std::size_t exact_below = 2000;  ///< with fewer flows left, each ends at its own time
};

/// Max-min fair sharing in steps instead of at each end of a flow. A step is as long as `fraction`
/// of the flows under way would take; those that would end earlier are slowed to end with it, and
/// what they leave goes to the others at once, max-min fairly:
///
///   rate_f = min(fair rate, remaining bytes_f / length of the step)
///
/// So no link carries more than its capacity (makespan >= bound), and a link stays busy while it
/// has flows that are not held back elsewhere. A flow's end is the date at which it would have been
/// complete at the level of its bottleneck, but no later than the end of its step.
///
/// Assumption: dates of beginning are path latencies, short beside the whole: all flows begin at 0,
/// and the latency is added to their ends.
/// Cost: O(links on paths / fraction).
[[nodiscard]] FlowTimes grouped_times(const FlowSet& set, const Grouping& grouping = {});

}  // namespace switchyard
