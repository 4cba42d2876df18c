#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sim/cli/yaml_node.hpp"

namespace switchyard {

/// Puts `value` at `path` in `root`, in place of what is there. Problems with the path are added at
/// `path_place`, and so is, later, the reader's about a key that was not there before; those about
/// the value come at the value's own place.
///
/// A path has keys separated by dots, indices of lists in brackets counted from 0, and double
/// quotes around a key with dots: `fabric.tiers[1].uplink`, `sweep."routing.top_k"`. Missing
/// mappings are created. Below a name the path changes what is named: with `model: switch-base`,
/// `model.experts` gives `model: {base: switch-base, experts: ...}`.
void set_value(YamlNode& root, std::string_view path, const Place& path_place,
               const YamlNode& value, Diagnostics& diagnostics);

/// Whether a change of `later` undoes one of `earlier` whatever its value: the same path or one
/// that leads to it, as "routing" leads to "routing.capacity_factor". What follows a path ("=1.25")
/// is passed over. False when either is no path.
[[nodiscard]] bool path_covers(std::string_view later, std::string_view earlier);

/// Applies assignments "path=value" of the option --set, in order; the value is a YAML scalar or a
/// list or mapping in flow style. All problems are reported together.
/// @throws ConfigError
void apply_overrides(YamlNode& root, std::span<const std::string> assignments);
void apply_override(YamlNode& root, const std::string& assignment);

}  // namespace switchyard
