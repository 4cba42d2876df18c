#pragma once

#include <string>

#include "topologies/network_spec.hpp"

namespace switchyard {

/// Bandwidth in one direction between two halves of the ranks.
struct Bisection {
  BytesPerSecond bandwidth;
  bool is_narrowest =
      false;        ///< no other halves have less; else it holds for the cut that is named
  std::string cut;  ///< where the halves are, for a reader
};

/// Of the regular kinds the narrowest cut, from a closed form; N ranks (odd N: the smaller half):
///
///   torus, mesh       bisection_bandwidth(TorusSpec)
///   scale-up          N/2 * port                        the switch does not block
///   fully connected   floor(N/2) * ceil(N/2) * link     each rank of a half to each of the other
///   fat tree          N/2 * host / max(1, o, o * o_core)   halves of the pods, or of the leaves of
///                                                       a single one; o = oversubscription
///   cluster           N/2 * (NICs / GPUs) * nic / max(1, o)  halves of the nodes; o counts where
///                                                       leaves differ. Assumes NVLink is faster.
///
/// Where the halves would cut through a pod, leaf or node, and for other kinds, max_flow_between_
/// halves(): then it is the bandwidth of that cut, and other halves may have less.
[[nodiscard]] Bisection bisection(const NetworkSpec& spec, const Topology& topology);

/// The most that the first half of the ranks (in order of number; N/2 rounded down) can send to the
/// others at once over any paths: a maximum flow, equal to the capacity of the narrowest cut
/// between them. Source: Goldberg, Tarjan, "A New Approach to the Maximum-Flow Problem", JACM
/// 35(4), 1988.
[[nodiscard]] BytesPerSecond max_flow_between_halves(const Topology& topology);

}  // namespace switchyard
