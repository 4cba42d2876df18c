#pragma once

#include <filesystem>

#include "sim/cli/catalog.hpp"

namespace switchyard {

/// Where catalogs and profiles live: $SWITCHYARD_DATA if set, else share/switchyard beside the
/// installed program, else the source tree it was built from.
/// @throws ConfigError when none of them exists.
[[nodiscard]] std::filesystem::path data_folder();

/// The YAML files of a folder, named without their extension, in alphabetical order.
[[nodiscard]] Catalog folder_catalog(const std::filesystem::path& folder);

[[nodiscard]] Catalog model_catalog();    ///< experiments/models
[[nodiscard]] Catalog system_catalog();   ///< topologies/catalog
[[nodiscard]] Catalog device_catalog();   ///< cost_models/profiles
[[nodiscard]] Catalog link_catalog();     ///< cost_models/profiles/links
[[nodiscard]] Catalog layer_catalog();    ///< cost_models/profiles/layers
[[nodiscard]] Catalog routing_catalog();  ///< experiments/routing

}  // namespace switchyard
