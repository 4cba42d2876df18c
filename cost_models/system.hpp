#pragma once

#include <string>

#include "cost_models/device_profile.hpp"
#include "sim/workload/lowering.hpp"
#include "topologies/torus.hpp"

namespace switchyard {

/// The machines of a run: a network, the device at each of its ranks, and the software on it.
struct System {
  std::string name;
  TorusSpec torus;
  DeviceProfile device;
  LoweringSpec lowering;
};

}  // namespace switchyard
