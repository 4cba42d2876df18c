#pragma once

#include <string>
#include <vector>

#include "sim/cli/calibration/calibration_rows.hpp"

namespace switchyard {

/// A warning where under 80 % or over 97 % of held-out rows lie within their 90 % intervals, with
/// what to do; that there are too few to say, under 30; empty otherwise, and without any.
///
/// Of 30 rows, each within with 0.9, fewer than 24 are in 2.6 % of all cases, and all 30 in 4.2 %.
[[nodiscard]] std::string coverage_warning(const std::vector<CalibrationRow>& rows);

}  // namespace switchyard
