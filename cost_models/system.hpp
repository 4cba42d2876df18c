#pragma once

#include <optional>
#include <string>

#include "cost_models/anchor.hpp"
#include "cost_models/collective_profile.hpp"
#include "cost_models/device_profile.hpp"
#include "topologies/network_spec.hpp"

namespace switchyard {

/// The machines of a run: a network and the device at each of its ranks.
struct System {
  std::string name;
  NetworkSpec network;
  DeviceProfile device;
  std::string library{};  ///< name of the profile of its collectives; empty: none was measured
  std::optional<CollectiveProfile> collectives{};  ///< that profile
  std::optional<Anchor> anchor{};                  ///< an observed step that times are scaled to
};

/// "burst" or "sustained"; empty where the device has no measured kernels.
[[nodiscard]] std::string speed_of(const System& system);

}  // namespace switchyard
