#pragma once

#include <string>
#include <vector>

#include "sim/cli/calibration/import/imported_file.hpp"

namespace switchyard {

/// How many shapes of an operator (with its type, transport and ranks) occur more than once, and
/// the largest difference between the medians of one shape; empty where none does. read_points()
/// takes the geometric mean of these medians.
[[nodiscard]] std::string repeated_shapes_text(const std::vector<ImportedPoint>& points);

}  // namespace switchyard
