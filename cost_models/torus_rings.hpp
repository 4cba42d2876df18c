#pragma once

#include <optional>
#include <vector>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// A group of ranks that is a box of a torus: the product of sets of coordinates and of cores.
/// Dimensions in which it has one coordinate are left out.
struct TorusBox {
  struct Axis {
    int length = 0;            ///< routers of the group along it, at least 2
    bool closed = false;       ///< the whole dimension, which wraps
    BytesPerSecond bandwidth;  ///< of the narrowest cable between neighbours, one direction
    Seconds latency;           ///< of the longest path between neighbours, ports included
  };
  std::vector<Axis> axes;
  int cores = 1;
  std::vector<RankId> ranks;  ///< by core, then along the first axis, then the second, ...

  /// The rank `core` of the router at `place` (one coordinate for each axis).
  [[nodiscard]] RankId at(const std::vector<int>& place, int core) const;
};

/// Core and coordinates of a rank: (core, x, y, z).
[[nodiscard]] std::vector<int> torus_place(const TorusShape& shape, RankId rank);

/// The box that `group` is; nothing when the network is no torus or the group no box.
[[nodiscard]] std::optional<TorusBox> torus_box(const RankGroup& group, const Topology& topology);

/// How a reduce-scatter over the dimensions of a torus is laid out.
///
/// With k dimensions of lengths L_d there are k orders: order j goes along dimension j, then j + 1,
/// ... (cyclically), and takes the share f_j of the buffer. Phase p of order j sends, per router,
///
///   f_j S (L_d - 1)/(L_j L_{j+1} ... L_d)         d = (j + p) mod k
///
/// over two links of bandwidth b_d (both ways round), in R equal rounds, where R is the largest
/// L_d - 1 of the dimensions in use. (A ring step may be cut: when a round is no larger than a step
/// of L_d - 1, what it passes on came in an earlier round.) At any time each order uses another
/// dimension. The buffer is further cut into K slices, one behind the other: slice i is in phase p
/// during interval i + p. An interval lasts as long as its busiest dimension, so
///
///   T = sum over intervals t of (R_t alpha + max over d of load_t,d / (2 b_d))
///
/// `shares` and `num_slices` are those with the smallest T: T is convex and piecewise linear in the
/// shares, so its minimum is at a vertex of the arrangement of "two dimensions are equally busy in
/// an interval" and "a share is 0", and all are tried; K is a power of two up to 32.
///
/// On a square or cube K = 1 and equal shares reach the optimum: all links are busy all the time,
/// and T = (n - 1)/n S / (2 k b). On a rectangle W x H the sums of the loads of both dimensions
/// are equal for f_x = (W H - 2 W + 1) / (2 (W - 1)(H - 1)), which gives the same optimum when K
/// grows (with K slices only the first and the last interval are not balanced); with K = 1 it is
/// 7.7 % above for 8 x 4 and 3.5 % for 16 x 8. In three dimensions three orders suffice too unless
/// a dimension is so short that its links cannot be filled by the others' remains.
struct TorusPlan {
  std::vector<double> shares;  ///< f_j, by axis; sum 1
  int num_slices = 1;          ///< K
  Seconds time;                ///< T of one reduce-scatter among routers
};

/// The fastest plan for a reduce-scatter of `buffer` per router. Precondition: at least one axis.
[[nodiscard]] TorusPlan torus_plan(const std::vector<TorusBox::Axis>& axes, Bytes buffer);

/// Rounds of a reduce-scatter of `buffer` (per rank) over a box: the cores of a router among
/// themselves, each keeping S / C, then all dimensions as torus_plan() says. Run backwards it is
/// the all-gather; both after one another are the all-reduce.
///
/// Ranks in a line that does not close pass on over the whole line (at half the speed).
/// Source: Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
///         JPDC 69(2), 2009 (rings); Ying, Kumar, Chen, Wang, Cheng, "Image Classification at
///         Supercomputer Scale", arXiv:1811.06992 (2-D gradient summation on TPUs). Shares and
///         slices: derived here.
[[nodiscard]] std::vector<Round> torus_reduce_scatter(const TorusBox& box, Bytes buffer);

}  // namespace switchyard
