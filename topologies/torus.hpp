#pragma once

#include "topologies/topology.hpp"

namespace switchyard {

/// Which way round an even ring a message goes when both ways are equally long.
///
/// kSplit: alternately, by the parity of (the sender's coordinate in the ring + the receiver's
///         coordinate in the other dimension + both core numbers); along y the sender's x takes the
///         place of the receiver's y. A uniform all-to-all then loads all links of a dimension
///         equally when the ring's length is a multiple of 4, or the other dimension's length or
///         ranks_per_router is even.
/// kFixed: always in the positive direction (a real router's fixed table; loads are uneven).
enum class TieBreak { kSplit, kFixed };

/// A two-dimensional torus of chips (routers), each with one or more ranks, like a TPUv3 slice.
///
/// Width or height 1 has no links in that dimension. Width or height 2 with `wrap` has two parallel
/// cables between the same two chips; they are one link of twice the bandwidth here, so that every
/// message may use both.
/// Assumption: slices smaller than a pod are wrapped too (TPUv3 slices below 32x32 may not be; set
/// `wrap` to false for a mesh, where a dimension of length 2 has a single cable).
struct TorusSpec {
  int width = 1;             ///< routers along x
  int height = 1;            ///< routers along y
  int ranks_per_router = 1;  ///< cores per chip: 2 on TPUv3
  LinkSpec link;             ///< router to router, per cable and direction
  /// Rank to router and back. The default never binds: a rank can use all cables of its chip.
  LinkSpec on_chip{.bandwidth = BytesPerSecond{1e15}, .latency = Seconds{0}};
  TieBreak tie = TieBreak::kSplit;
  bool wrap = true;
};

/// Builds the torus with dimension-order paths, x then y, each the shorter way round.
///
/// Rank r is core r % ranks_per_router of router r / ranks_per_router; routers are numbered row by
/// row, router = y * width + x.
///
/// @throws ConfigError naming every count below 1, bandwidth not positive and negative latency.
/// Cost: O(num_ranks^2 * (width + height)) time and memory, because all paths are stored.
/// Source: Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, section
///         8.4 (dimension-order routing).
[[nodiscard]] Topology build_torus(const TorusSpec& spec);

/// Number of routers (chips).
[[nodiscard]] inline int num_routers(const TorusSpec& spec) { return spec.width * spec.height; }

/// Number of ranks (cores).
[[nodiscard]] inline int num_ranks(const TorusSpec& spec) {
  return num_routers(spec) * spec.ranks_per_router;
}

}  // namespace switchyard
