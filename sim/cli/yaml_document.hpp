#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sim/cli/yaml_node.hpp"

namespace switchyard {

// What every Switchyard file must be, whatever it describes: UTF-8 (line ends LF or CRLF), at most
// 16 MiB, one YAML document, at most 64 levels deep, text keys, none twice, and no anchor, alias,
// merge key or tag: a file says what it means where it says it. All violations are reported
// together, save that nothing can be read beyond a syntax error.

/// Reads a YAML file. Anything that can be read once will do, a pipe too.
/// @throws ConfigError, also when the file is missing, unreadable, empty or a directory.
[[nodiscard]] YamlNode load_yaml(const std::filesystem::path& file);

/// Reads YAML from memory; messages call it `name`.
/// @throws ConfigError
[[nodiscard]] YamlNode parse_yaml(std::string_view text, std::string name);

/// Reads the value of a command line option named `name`: a scalar, or a list or mapping in flow
/// style. Problems are added to `diagnostics`; the node is nothing when there were any.
[[nodiscard]] YamlNode parse_option_value(std::string_view text, std::string name,
                                          Diagnostics& diagnostics);

}  // namespace switchyard
