#pragma once

#include <variant>

#include "topologies/torus.hpp"

namespace switchyard {

/// Every kind of network a system can have; each alternative has its builder beside it.
using NetworkSpec = std::variant<TorusSpec>;

/// Builds the network that `spec` describes.
/// @throws ConfigError as the builder of its kind does.
[[nodiscard]] Topology build_topology(const NetworkSpec& spec);

/// Number of ranks, without building it.
[[nodiscard]] int num_ranks(const NetworkSpec& spec);

}  // namespace switchyard
