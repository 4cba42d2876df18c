#pragma once

#include "sim/cli/section.hpp"
#include "topologies/network_spec.hpp"

namespace switchyard {

/// `network` with what is wrong with it under the key `degraded` of `section`; as it is without.
[[nodiscard]] NetworkSpec read_faults(Section& section, NetworkSpec network);

}  // namespace switchyard
