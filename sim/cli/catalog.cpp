#include "sim/cli/catalog.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "sim/cli/message_text.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

constexpr int kMaxBases = 8;

/// The file that a name ending in ".yaml" means: beside the file that names it, else as given.
std::filesystem::path file_beside(const YamlNode& name) {
  if (!name.place.source || !name.place.source->has_lines) return name.scalar;
  const auto beside = std::filesystem::path{name.place.source->name}.parent_path() / name.scalar;
  std::error_code unknown;
  return std::filesystem::exists(beside, unknown) ? beside : std::filesystem::path{name.scalar};
}

struct Resolver {
  std::string_view path;
  const Catalog& catalog;
  Diagnostics& diagnostics;

  std::optional<YamlNode> look_up(const YamlNode& name, int num_bases) const {
    const bool is_name = name.kind == YamlNode::Kind::kScalar && !name.scalar.empty();
    if (!is_name) {
      diagnostics.add(name.place, path,
                      fmt::format("expected the name of a catalog entry, got {}", describe(name)));
      return std::nullopt;
    }
    if (num_bases > kMaxBases) {
      diagnostics.add(
          name.place, path,
          fmt::format("more than {} bases, one upon the other; do they form a circle?", kMaxBases));
      return std::nullopt;
    }
    const std::optional<YamlNode> entry = name.scalar.ends_with(".yaml")
                                              ? std::optional{load_yaml(file_beside(name))}
                                              : catalog.load(name.scalar);
    if (entry) return resolve(*entry, num_bases);
    const std::string near = did_you_mean(name.scalar, catalog.names);
    diagnostics.add(
        name.place, path,
        fmt::format(
            "{} is not in the catalog{}", in_quotes(name.scalar),
            near.empty() ? fmt::format("; it has {}", fmt::join(catalog.names, ", ")) : near));
    return std::nullopt;
  }

  std::optional<YamlNode> resolve(const YamlNode& given, int num_bases) const {
    if (given.kind != YamlNode::Kind::kMap) return look_up(given, num_bases);
    const YamlNode::Entry* base = given.find("base");
    if (base == nullptr) return given;
    std::optional<YamlNode> entry = look_up(base->value, num_bases + 1);
    if (!entry) return std::nullopt;
    YamlNode changes = given;
    std::erase_if(changes.entries, [](const YamlNode::Entry& e) { return e.key == "base"; });
    return overlay(*std::move(entry), changes);
  }
};

}  // namespace

std::optional<YamlNode> resolve(const YamlNode& given, std::string_view path,
                                const Catalog& catalog, Diagnostics& diagnostics) {
  return Resolver{path, catalog, diagnostics}.resolve(given, 0);
}

}  // namespace switchyard
