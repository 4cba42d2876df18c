#pragma once

#include <vector>

#include <Eigen/Core>

#include "cost_models/collective_schedule.hpp"
#include "topologies/topology.hpp"
#include "topologies/torus.hpp"

namespace switchyard {

/// All-to-all in one round: every rank sends `bytes_per_pair` to every other rank at once.
/// Edge: one rank or zero bytes gives a schedule without rounds, which costs nothing.
[[nodiscard]] CollectiveSchedule direct_all_to_all(int num_ranks, Bytes bytes_per_pair);

/// All-to-all in one round with a size for each pair (MoE dispatch and combine).
///
/// @param bytes  bytes from row = sender to column = receiver; shape (num_ranks, num_ranks). The
///               diagonal stays on its rank and is not sent; zero entries are no messages.
/// Precondition: square, finite and not negative (checked).
[[nodiscard]] CollectiveSchedule direct_all_to_all(const Eigen::Ref<const Eigen::MatrixXd>& bytes);

/// All-reduce of one `buffer` per rank over all ranks of a torus, by rings in both dimensions.
///
/// 1. The C cores of a chip reduce-scatter among themselves, each keeping S / C.
/// 2. Even cores reduce-scatter along their x ring, then what they keep along their y ring; odd
///    cores y first, then x. Each ring runs in both directions, half the data each way, so with two
///    cores all four links of a square torus are busy and never shared. If C is odd, each core cuts
///    its share in two and does both orders at once.
/// 3. All-gathers in reverse order, then among the cores of a chip.
///
/// On n = k x k chips with links b, no latency and on-chip links that do not bind:
///
///   T = 2 (n - 1)/n * S / (4 b)
///
/// where S = buffer. On a rectangle the two orders meet on the longer dimension, and it takes
/// longer. In a mesh (wrap false) the ring closes over the whole row, at half the speed.
///
/// Edge: one rank or zero bytes gives a schedule without rounds.
/// Precondition: `torus` is one that build_torus() accepts (checked).
/// Source: Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
///         JPDC 69(2), 2009 (rings); Ying, Kumar, Chen, Wang, Cheng, "Image Classification at
///         Supercomputer Scale", arXiv:1811.06992 (2-D gradient summation on TPUs).
[[nodiscard]] CollectiveSchedule torus_all_reduce(const TorusSpec& torus, Bytes buffer);

/// Bytes of the whole schedule on each link, by LinkId.
[[nodiscard]] std::vector<Bytes> link_loads(const CollectiveSchedule& schedule,
                                            const Topology& topology);

/// Time of a schedule run alone, in the analytic model:
///
///   T = startup + sum over rounds of (max over flows f of latency_f + max over links l of
///       load_l / B_l)
///
/// where latency_f = path_latency(), load_l = bytes of the round that cross l and B_l = its
/// bandwidth. Exact when all messages of a round that matter end together and the longest path is
/// among them; otherwise an approximation: max-min sharing can take longer than the busiest link
/// alone, and ranks that finish a round early may start the next, which saves time.
[[nodiscard]] Seconds schedule_time(const CollectiveSchedule& schedule, const Topology& topology);

/// No execution of `schedule` on the paths of `topology` is faster than its busiest link needs for
/// all bytes that cross it: T >= max over links l of (sum over all rounds of load_l) / B_l.
[[nodiscard]] Seconds link_load_bound(const CollectiveSchedule& schedule, const Topology& topology);

/// No uniform all-to-all is faster, whatever its paths and rounds. The largest of
///
///   rank port:  (R - 1) m / b_on_chip        a rank sends to R - 1 others through one port
///   chip port:  C (R - C) m / (L b)          its C ranks send to R - C others over L links
///   cut:        C^2 a (k - a) h m / (c b)    for each dimension of length k, where h = length of
///               the other one: a = floor(k/2) columns (C a h ranks) send to the k - a others
///               (C (k - a) h ranks) over c links in each of h rings
///
/// where R = ranks, C = ranks per router, m = bytes_per_pair, b = link.bandwidth, L = links of the
/// chip with the fewest, c = 2 (1 in a mesh). Edge: one rank or zero bytes gives 0.
[[nodiscard]] Seconds all_to_all_lower_bound(const TorusSpec& torus, Bytes bytes_per_pair);

/// No all-reduce is faster, whatever its algorithm. Combining R copies of S bytes and giving the
/// result to all takes at least 2 (R - 1) S bytes of messages (Patarasuk and Yuan 2009), so
///
///   rank ports: 2 (R - 1)/R * S / b_on_chip    R ports carry them
///   links:      2 (n - 1) S / (sum of link bandwidths)   the same, with the n chips as the nodes
///   cut:        S / bisection_bandwidth        each half needs the other half's S bytes
///
/// The largest counts. Edge: one rank or zero bytes gives 0.
[[nodiscard]] Seconds all_reduce_lower_bound(const TorusSpec& torus, Bytes buffer);

}  // namespace switchyard
