#pragma once

#include <vector>

#include "topologies/spec_problem.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// Which way round an even ring a message goes when both ways are equally long.
///
/// kSplit: alternately, by the parity of
///
///           sum over e <= d of source_e + sum over e > d of destination_e + both core numbers
///
///         in dimension d, where source_e and destination_e are coordinates of the routers. A
///         uniform all-to-all then loads all links of a dimension equally when the ring's length is
///         a multiple of 4, or another dimension's length or ranks_per_router is even.
/// kFixed: always in the positive direction (a real router's fixed table; loads are uneven).
enum class TieBreak { kSplit, kFixed };

/// One dimension of a torus: all rings along it are alike.
struct TorusDimension {
  int length = 1;    ///< routers of a ring
  bool wrap = true;  ///< whether it closes to a ring; false makes it a mesh in this dimension
  LinkSpec link;     ///< router to router, per cable and direction; of no matter at length 1
};

/// A torus or mesh of chips (routers) in one to three dimensions, each chip with one or more ranks,
/// like a slice of a TPU pod.
///
/// A dimension of length 1 has no links. Length 2 with `wrap` has two parallel cables between the
/// same two chips; they are one link of twice the bandwidth here, so that every message may use
/// both. A mesh has a single cable there.
/// Assumption: TPU slices smaller than a pod are wrapped too (in the catalog; slices of TPUv3 below
/// 32x32 may not be).
struct TorusSpec {
  std::vector<TorusDimension> dimensions;  ///< x, y, z
  int ranks_per_router = 1;                ///< cores per chip: 2 on TPUv3
  /// Rank to router and back. The default never binds: a rank can use all cables of its chip.
  LinkSpec on_chip{.bandwidth = BytesPerSecond{1e15}, .latency = Seconds{0}};
  TieBreak tie = TieBreak::kSplit;
};

/// What cannot be built.
[[nodiscard]] SpecProblems problems(const TorusSpec& spec);

/// Builds the torus with dimension-order paths, x then y then z, each the shorter way round.
/// Ranks are numbered as TorusShape says.
///
/// @throws ConfigError naming every count below 1, bandwidth not positive and negative latency.
/// Source: Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, section
///         8.4 (dimension-order routing).
[[nodiscard]] Topology build_torus(const TorusSpec& spec);

/// Number of routers (chips).
[[nodiscard]] int num_routers(const TorusSpec& spec);

/// Number of ranks (cores).
[[nodiscard]] int num_ranks(const TorusSpec& spec);

}  // namespace switchyard
