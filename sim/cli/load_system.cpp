#include "sim/cli/load_system.hpp"

#include <optional>

#include <fmt/format.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

YamlNode system_node(const std::string& name, const std::string& asker) {
  if (name.ends_with(".yaml") || name.find('/') != std::string::npos) return load_yaml(name);
  const Catalog catalog = system_catalog();
  std::optional<YamlNode> node = catalog.load(name);
  if (node) return *std::move(node);
  const std::string near = did_you_mean(name, catalog.names);
  throw ConfigError(fmt::format(
      "{}: no system is called {}{}", asker, in_quotes(name),
      near.empty() ? fmt::format("; there are: {}", fmt::join(catalog.names, ", ")) : near));
}

}  // namespace

System load_system(const std::string& name, const std::string& asker) {
  const Catalog devices = device_catalog();
  System system = read_document(system_node(name, asker), [&devices](Section section) {
                    return read_system(std::move(section), devices);
                  }).system;
  system.name = name;
  return system;
}

}  // namespace switchyard
