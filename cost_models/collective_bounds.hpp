#pragma once

#include "cost_models/collective_request.hpp"
#include "cost_models/network_cuts.hpp"

namespace switchyard {

/// No algorithm on any paths serves `request` on `topology` in less time.
///
/// **Cuts.** For a set X of vertices of the network let out(X) be the sum of the bandwidths of all
/// links that leave it. Whatever must leave X takes at least that long:
///
///   T >= leaves(X) / out(X)
///
/// where leaves(X), with a of the n ranks of a group inside X, is the sum over groups of
///
///   all-to-all       bytes from ranks inside to ranks outside: a (n - a) S / n, or those of the
///                    traffic matrix
///   all-gather       a S / n if a < n: every part held inside leaves at least once (others can
///                    pass it on)
///   reduce-scatter   (n - a) S / n if a > 0: of every part that ends outside at least one sum of
///                    what is inside
///   all-reduce       S if 0 < a < n: at least one sum of what is inside, for each byte
///   point-to-point   S if the first rank is inside and the last outside
///
/// The sets tried: every rank; every scale-up domain (with the switches that make its cut smaller);
/// in a torus every router with its ranks and every slab of each dimension; and the complements of
/// all. Any set is valid, so the largest quotient is a bound.
///
/// **Sum of messages.** Where nothing but ranks can add up, combining n copies of S and giving the
/// result to all takes 2 (n - 1) S bytes of messages (Patarasuk and Yuan 2009), so for the
/// all-reduce also
///
///   T >= sum over groups of 2 (n - 1) S / sum over ranks of out(rank)
///
/// and the same with nodes in the place of ranks (scale-up domains, torus routers), whose sums
/// inside cost nothing: 2 (N - 1) S over the sum of the nodes' out(). Where switches add up
/// (in_switch_reduction) the one for ranks does not hold, and the cut of each rank, S per port and
/// direction, is what remains; that is what in-switch reduction takes.
///
/// With token de-duplication a copy that leaves X may be passed on to several nodes, so only the
/// largest of these counts: what X owes one node outside (bytes_to_node, summed over senders
/// inside), what it owes one rank outside. A combine is the same with all directions turned.
///
/// Ignores latency. Edge: groups of one rank and zero bytes give 0.
/// @throws ConfigError as resolved_groups().
/// Source: derived here; Patarasuk, Yuan, JPDC 69(2), 2009 (sum of messages).
[[nodiscard]] Seconds lower_bound(const CollectiveRequest& request, const Topology& topology);

/// The same with the network_cuts() of the topology, for who asks often.
[[nodiscard]] Seconds lower_bound(const CollectiveRequest& request, const Topology& topology,
                                  const NetworkCuts& cuts);

}  // namespace switchyard
