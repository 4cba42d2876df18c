#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sim/cli/override.hpp"
#include "sim/cli/section.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"

namespace switchyard {

/// Uses every getter a Section has. Shared by the mutation test and the fuzzer.
inline int read_everything(Section section) {
  (void)section.text("name", "");
  (void)section.optional_integer("seed", "", 0, {.min = 0});
  (void)section.optional_boolean("quiet", "", false);
  (void)section.find("sigma", "", types::number({.above = 0.0}));
  (void)section.optional_fraction("dropped", "", 0.0);
  (void)section.optional_list("sizes", "", types::size(), {});
  (void)section.optional_flop_rate("peak", "", FlopPerSecond{1.0});
  (void)section.optional_choice<int>("precision", "", 0, {{"float32", 0}, {"bfloat16", 1}});
  const Catalog catalog{.names = {"slow"}, .load = [](const std::string& name) {
                          return name == "slow"
                                     ? std::optional{parse_yaml("{bandwidth: 1 GB/s}", "slow.yaml")}
                                     : std::nullopt;
                        }};
  (void)section.sections("links", "", [&](Section links) {
    const auto read = [](Section link) {
      (void)link.bandwidth("bandwidth", "");
      link.finish();
      return 0;
    };
    (void)links.catalog_entry("link", "", catalog, read);
    links.finish();
    return 0;
  });
  if (auto routing = section.optional_subsection("routing", "")) {
    (void)routing->variant<double>("kind", "",
                                   {{"zipf", [](Section& s) { return s.number("exponent", ""); }}});
    routing->finish();
  }
  if (const YamlNode* sweep = section.raw("sweep", ""))
    for (const YamlNode::Entry& axis : sweep->entries) {
      YamlNode copy = *sweep;
      set_value(copy, axis.key, axis.key_place, axis.value, section.diagnostics());
    }
  if (section.has("seed") && section.ok()) section.problem("seed", "is odd");
  section.finish();
  return 0;
}

/// Puts `text` through everything that takes a user's YAML: as a file, as an assignment of --set
/// and as a change to another file. Nothing but a ConfigError may come of it.
inline void read_hostile(const std::string& text) {
  try {
    (void)read_document(parse_yaml(text, "hostile.yaml"), read_everything);
  } catch (const ConfigError&) {
  }
  try {
    YamlNode root = parse_yaml("name: x\nlinks: [{link: slow}]\n", "f.yaml");
    apply_override(root, text);
    (void)read_document(overlay(root, parse_yaml(text, "hostile.yaml")), read_everything);
  } catch (const ConfigError&) {
  }
}

}  // namespace switchyard
