#pragma once

#include <string>

#include "topologies/network_spec.hpp"

namespace switchyard {

/// A drawing in ASCII, at most 100 columns wide; what repeats is drawn once and counted.
[[nodiscard]] std::string draw_network(const NetworkSpec& spec);

}  // namespace switchyard
