#pragma once

#include <cstdint>

#include "sim/workload/routing/gate_spec.hpp"
#include "sim/workload/routing/placement_spec.hpp"
#include "sim/workload/routing/router_spec.hpp"
#include "sim/workload/routing/slot_spec.hpp"

namespace switchyard {

/// Everything that decides where tokens go.
struct RoutingSpec {
  RouterSpec router;
  GateSpec gate;
  SlotSpec slots;
  PlacementSpec placement{};
};

/// The random numbers of one draw: equal streams give equal draws, whatever runs beside.
struct RoutingStream {
  std::uint64_t seed = 0;
  std::uint64_t stack = 0;  ///< 0 encoder, 1 decoder
  std::uint64_t draw = 0;
};

}  // namespace switchyard
