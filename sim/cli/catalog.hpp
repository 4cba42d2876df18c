#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cli/yaml_node.hpp"

namespace switchyard {

/// Named YAML files that others refer to.
struct Catalog {
  std::vector<std::string> names;
  /// The entry of that name, nullopt when there is none. It may know more than `names` lists.
  std::function<std::optional<YamlNode>(const std::string&)> load;
};

/// What `given` stands for: a name is looked up; a mapping with `base: name` is laid over the entry
/// of that name, which may have a base itself; a mapping without base stands for itself. `base` is
/// gone from the result and every field keeps its own place. A name that ends in ".yaml" is a file,
/// beside the one that names it or as given.
///
/// @return nullopt when a problem was added to `diagnostics`.
/// @throws ConfigError when a catalog file is no proper YAML.
[[nodiscard]] std::optional<YamlNode> resolve(const YamlNode& given, std::string_view path,
                                              const Catalog& catalog, Diagnostics& diagnostics);

}  // namespace switchyard
