#pragma once

#include "cost_models/system.hpp"
#include "sim/cli/number_sources.hpp"
#include "sim/cli/section.hpp"
#include "sim/workload/lowering.hpp"

namespace switchyard {

/// A device and how software uses it: the keys of a file in cost_models/profiles.
struct DeviceFile {
  DeviceProfile device;
  LoweringSpec lowering;
  std::vector<NumberSource> sources;
};
[[nodiscard]] DeviceFile read_device(Section section);

/// A system and how software uses its devices: the keys of a file in topologies/catalog.
struct SystemFile {
  System system;
  LoweringSpec lowering;
};

/// `device` names a profile in cost_models/profiles or is given in place.
[[nodiscard]] SystemFile read_system(Section section, const Catalog& devices);

}  // namespace switchyard
