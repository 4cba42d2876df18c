#pragma once

#include <string>
#include <vector>

#include "sim/cli/calibration/import/imported_file.hpp"

namespace switchyard {

/// The times that take longest in all, by name and reason, and how many more there are; empty
/// where every time was used.
[[nodiscard]] std::string format_unused(const std::vector<UnusedTime>& unused);

/// All of them, a row each.
[[nodiscard]] std::string unused_csv(const std::vector<UnusedTime>& unused);

}  // namespace switchyard
