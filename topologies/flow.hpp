#pragma once

#include "sim/core/ids.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// One message from a rank to a rank. A flow to the sender itself or of zero bytes is no message:
/// it crosses no link, takes no time and nobody waits for it (crosses_network() is false).
struct Flow {
  RankId source;
  RankId destination;
  Bytes bytes;
};

[[nodiscard]] inline bool crosses_network(const Flow& flow) {
  return flow.source != flow.destination && flow.bytes > Bytes{0};
}

}  // namespace switchyard
