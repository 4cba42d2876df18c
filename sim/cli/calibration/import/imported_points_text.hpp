#pragma once

#include <string>
#include <vector>

#include "sim/cli/calibration/import/imported_file.hpp"
#include "sim/cli/calibration/points_file.hpp"

namespace switchyard {

/// Points as a file of points, which read_points() reads. They have no reference product beside
/// them: their times are not scaled.
/// @param multiprocessors  0: not known
[[nodiscard]] std::string imported_points_text(const std::vector<ImportedPoint>& points,
                                               const MeasuredDevice& device, int multiprocessors);

/// The last change of any of the files, as points have dates: "2026-11-22T10:00:00Z".
[[nodiscard]] std::string newest_date(const std::vector<std::filesystem::path>& files);

}  // namespace switchyard
