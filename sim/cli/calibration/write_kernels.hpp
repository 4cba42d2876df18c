#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "cost_models/calibration/kernel_profile.hpp"

namespace switchyard {

/// The `kernels` of a device's profile, as read_kernels() reads them.
[[nodiscard]] nlohmann::ordered_json kernels_json(const KernelProfile& profile);

/// JSON as YAML that people read: mappings in blocks, those of up to `flow_depth` levels below
/// them, and lists of scalars, in one line.
[[nodiscard]] std::string yaml_text(const nlohmann::ordered_json& json, int indentation = 0);

}  // namespace switchyard
