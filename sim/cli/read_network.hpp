#pragma once

#include "sim/cli/section.hpp"
#include "topologies/network_spec.hpp"

namespace switchyard {

/// The network of a system: exactly one of the keys `torus`, `scale_up`, `cluster`, `fat_tree`,
/// `fully_connected`, `hierarchy` and `graph`, and what is wrong with it under `degraded`. The
/// section stays the caller's.
[[nodiscard]] NetworkSpec read_network(Section& section);

/// The same keys with nothing left to defaults, to be read back as the same network.
[[nodiscard]] Json network_json(const NetworkSpec& network);

}  // namespace switchyard
