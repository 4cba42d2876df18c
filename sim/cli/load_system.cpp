#include "sim/cli/load_system.hpp"

#include <optional>

#include <fmt/format.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/override.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"

namespace switchyard {

bool is_system_file(const std::string& name) {
  return name.ends_with(".yaml") || name.find('/') != std::string::npos;
}

YamlNode system_node(const std::string& name, std::span<const std::string> overrides,
                     const std::string& asker) {
  const Catalog catalog = system_catalog();
  if (is_system_file(name)) {
    YamlNode root = load_yaml(name);
    apply_overrides(root, overrides);
    Diagnostics diagnostics;
    const std::optional<YamlNode> node = resolve(root, "", catalog, diagnostics);
    diagnostics.throw_if_any();
    return *node;
  }
  std::optional<YamlNode> node = catalog.load(name);
  if (!node) {
    const std::string near = did_you_mean(name, catalog.names);
    throw ConfigError(fmt::format(
        "{}: no system is called {}{}", asker, in_quotes(name),
        near.empty() ? "; `switchyard show topology` lists them, and a file ends in .yaml" : near));
  }
  apply_overrides(*node, overrides);
  return *std::move(node);
}

System load_system(const std::string& name, std::span<const std::string> overrides,
                   const std::string& asker) {
  const Catalog devices = device_catalog();
  System system = read_document(system_node(name, overrides, asker), [&devices](Section section) {
                    return read_system(std::move(section), devices);
                  }).system;
  system.name = name;
  return system;
}

}  // namespace switchyard
