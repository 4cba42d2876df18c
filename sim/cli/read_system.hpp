#pragma once

#include "cost_models/system.hpp"
#include "sim/cli/section.hpp"

namespace switchyard {

/// Reads a system: the keys of a file in topologies/catalog. `device` names a profile in
/// cost_models/profiles or is given in place.
[[nodiscard]] System read_system(Section section, const Catalog& devices);

/// A device and how software uses it: the keys of a file in cost_models/profiles.
struct DeviceFile {
  DeviceProfile device;
  LoweringSpec lowering;
};
[[nodiscard]] DeviceFile read_device(Section section);

}  // namespace switchyard
