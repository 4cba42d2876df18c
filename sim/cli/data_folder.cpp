#include "sim/cli/data_folder.hpp"

#include <algorithm>
#include <cstdlib>

#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

bool has_catalogs(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder / "topologies" / "catalog", ignored);
}

}  // namespace

std::filesystem::path data_folder() {
  if (const char* chosen = std::getenv("SWITCHYARD_DATA")) {
    if (has_catalogs(chosen)) return chosen;
    throw ConfigError(fmt::format(
        "SWITCHYARD_DATA: expected a folder with topologies/catalog in it, got \"{}\"", chosen));
  }
  std::error_code no_program;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", no_program);
  if (!no_program) {
    const auto installed = program.parent_path().parent_path() / "share" / "switchyard";
    if (has_catalogs(installed)) return installed;
  }
  if (has_catalogs(SWITCHYARD_SOURCE_DIR)) return SWITCHYARD_SOURCE_DIR;
  throw ConfigError("no catalogs found: set SWITCHYARD_DATA to the folder that holds them");
}

Catalog folder_catalog(const std::filesystem::path& folder) {
  Catalog catalog;
  std::error_code unreadable;
  for (const auto& file : std::filesystem::directory_iterator{folder, unreadable})
    if (file.path().extension() == ".yaml") catalog.names.push_back(file.path().stem().string());
  std::sort(catalog.names.begin(), catalog.names.end());
  catalog.load = [folder,
                  names = catalog.names](const std::string& name) -> std::optional<YamlNode> {
    if (!std::binary_search(names.begin(), names.end(), name)) return std::nullopt;
    return load_yaml(folder / (name + ".yaml"));
  };
  return catalog;
}

Catalog model_catalog() { return folder_catalog(data_folder() / "experiments" / "models"); }
Catalog system_catalog() { return folder_catalog(data_folder() / "topologies" / "catalog"); }
Catalog device_catalog() { return folder_catalog(data_folder() / "cost_models" / "profiles"); }
Catalog routing_catalog() { return folder_catalog(data_folder() / "experiments" / "routing"); }
Catalog link_catalog() {
  return folder_catalog(data_folder() / "cost_models" / "profiles" / "links");
}
Catalog layer_catalog() {
  return folder_catalog(data_folder() / "cost_models" / "profiles" / "layers");
}

}  // namespace switchyard
