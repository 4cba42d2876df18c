#pragma once

#include <string>

#include "cost_models/system.hpp"

namespace switchyard {

/// The system of that name in the catalog, or of that YAML file (a name with '/' or ".yaml").
/// @param asker  begins the message when there is none: "net".
/// @throws ConfigError
[[nodiscard]] System load_system(const std::string& name, const std::string& asker);

}  // namespace switchyard
