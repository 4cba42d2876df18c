#pragma once

#include <vector>

#include "topologies/topology.hpp"

namespace switchyard {

/// A set of vertices of a network with its ranks and the bandwidth across its border.
struct NetworkCut {
  std::vector<RankId> ranks;
  BytesPerSecond out;  ///< sum over links that leave the set; a half-duplex link counts here
  BytesPerSecond in;   ///< sum over links that enter it; and here
};

/// Sets of vertices whose borders may be narrow. Which they are is a matter of taste; that any
/// set's border bounds what crosses it is not.
struct NetworkCuts {
  std::vector<NetworkCut> ranks;  ///< one for each rank alone, in order
  /// One for each node (scale-up domain, or router of a torus), whose sets part the ranks. Switches
  /// are taken in while that does not widen the border.
  std::vector<NetworkCut> nodes;
  std::vector<NetworkCut> slabs;  ///< of a torus: neighbouring coordinates of one dimension
};

[[nodiscard]] NetworkCuts network_cuts(const Topology& topology);

}  // namespace switchyard
