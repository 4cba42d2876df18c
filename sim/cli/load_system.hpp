#pragma once

#include <span>
#include <string>

#include "cost_models/system.hpp"
#include "sim/cli/yaml_node.hpp"

namespace switchyard {

/// Whether a system is named by its file: a name with '/' or ".yaml" at the end.
[[nodiscard]] bool is_system_file(const std::string& name);

/// The tree of the system of that name in the catalog, or of that YAML file, whose `base` may name
/// one of the catalog; with the changes of --set.
/// @param asker  begins the message when there is none: "net".
/// @throws ConfigError
[[nodiscard]] YamlNode system_node(const std::string& name, std::span<const std::string> overrides,
                                   const std::string& asker);

/// That system, read.
[[nodiscard]] System load_system(const std::string& name, std::span<const std::string> overrides,
                                 const std::string& asker);

}  // namespace switchyard
