#pragma once

#include <vector>

#include "sim/cli/calibration/import/imported_file.hpp"

namespace switchyard {

/// Gives roles to points that have none: of the shapes of an operator (with its kind, type,
/// transport and ranks), ascending by their numbers from left to right, the second and every third
/// after it is held out, but never the last; of fewer than four none is. Times are not looked at.
/// All points of a shape have one role: that which one of them was given, if any.
void hold_out_every_third(std::vector<ImportedPoint>& points);

}  // namespace switchyard
