#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "topologies/flow.hpp"
#include "topologies/topology.hpp"
#include "topologies/torus.hpp"

namespace switchyard {

/// Bytes that cross each link when every flow takes its path; indexed by LinkId.
[[nodiscard]] std::vector<Bytes> link_loads(const Topology& topology, std::span<const Flow> flows);

/// Adds the loads of `flows` to `loads`, which has one entry per link (checked).
void add_link_loads(const Topology& topology, std::span<const Flow> flows,
                    std::vector<Bytes>& loads);

/// The time in which the busiest link can carry its load: max over links l of load_l / bandwidth_l.
/// No schedule of messages on these paths can be faster.
[[nodiscard]] Seconds bottleneck_time(const Topology& topology, std::span<const Bytes> loads);

/// What the paths between all ordered pairs of distinct ranks have in common. Where the topology
/// has a symmetry, the paths of one sender of each orbit tell all.
struct PathStatistics {
  int diameter = 0;           ///< most links of a path; links on a chip are not counted here
  double average_hops = 0.0;  ///< mean number of those; 0 with one rank
  std::vector<std::int64_t> messages;  ///< by link: paths that cross it, links on a chip included
};
[[nodiscard]] PathStatistics path_statistics(const Topology& topology);

/// The most links on any path; those on a chip are not counted.
[[nodiscard]] int diameter(const Topology& topology);

/// Mean number of links over the paths between distinct ranks, those on a chip not counted.
[[nodiscard]] double average_hops(const Topology& topology);

/// The cable that a uniform all-to-all keeps busy longest, the first of equals; nullopt without
/// any.
[[nodiscard]] std::optional<LinkId> busiest_link(const Topology& topology,
                                                 const PathStatistics& statistics);

/// Bandwidth in one direction across the narrowest of the cuts that halve one dimension:
///
///   B = min over dimensions d longer than 1 of (routers / length_d) * c_d * b_d
///
/// where routers / length_d = rings along d, c_d = 2 cables cross the cut in each ring (1 in a
/// mesh) and b_d = bandwidth of a cable. For an odd length the cut is the one nearest to the half.
/// Edge: a single router has no cut, so 0 B/s.
/// Source: TPUv3 pod, 32x32 chips with 100 GB/s per link and direction: 64 links, 6.4 TB/s
///         (Google Cloud TPU documentation, system architecture).
[[nodiscard]] BytesPerSecond bisection_bandwidth(const TorusSpec& spec);

/// Time of the busiest link when every rank sends `bytes_per_pair` to every other rank.
///
/// On a k x k torus with one rank per router, k a multiple of 4, links b and TieBreak::kSplit this
/// is k^3 m / (8 b): the k^2/2 ranks of one half send m to k^2/2 others over 2 k links.
[[nodiscard]] Seconds uniform_all_to_all_bound(const Topology& topology, Bytes bytes_per_pair);

}  // namespace switchyard
