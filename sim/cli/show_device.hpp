#pragma once

#include <CLI/CLI.hpp>

namespace switchyard {

/// Adds `show device`: every number of a device's profile, and where it comes from.
void add_show_device(CLI::App& show_command);

}  // namespace switchyard
