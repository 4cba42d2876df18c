#pragma once

#include <string>
#include <vector>

#include "topologies/flow.hpp"

namespace switchyard {

/// Messages that may be under way at the same time.
///
/// A rank begins its sends of round k + 1 when all its own sends and receives of round k are
/// complete; ranks do not wait for other ranks beyond that (no global barrier).
/// Sends are one-sided: they do not wait for the receiver to enter the collective.
struct Round {
  std::vector<Flow> flows;
};

/// A collective as the network sees it. Knows nothing of the engine that will execute it.
struct CollectiveSchedule {
  std::string algorithm;  ///< "direct", "torus-ring", ...
  std::vector<Round> rounds;
};

}  // namespace switchyard
