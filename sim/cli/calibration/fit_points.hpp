#pragma once

#include <map>
#include <string>

#include "cost_models/calibration/fit_kernels.hpp"
#include "sim/cli/calibration/points_file.hpp"
#include "sim/planner/fit_collectives.hpp"

namespace switchyard {

/// What points were fitted to.
struct Calibration {
  KernelProfile profile;
  std::map<std::string, CollectiveFit> links;  ///< by transport
  std::map<std::string, std::string> sources;  ///< of imported points: files, by operator
};

/// Fits forms to the kernels and curves to the collectives of role kFit; all else is not looked at.
/// @throws ConfigError when there is neither a kernel nor a collective to fit to; collectives alone
///         do where no kernel was measured at all, as in logs of collectives.
[[nodiscard]] Calibration calibrate_points(const MeasuredPoints& points, const std::string& name,
                                           const FitOptions& options = {});

/// Writes into the models and links which files their points came from.
/// @param sources  names of files, by operator
void name_sources(const std::map<std::string, std::string>& sources, Calibration& calibration);

/// Tiles of the kernels that a software stack has: by the instruction set it names on a CPU, by the
/// heads of the points on a GPU (those of an H100 where they say nothing).
[[nodiscard]] ProductTiles tiles_of(const MeasuredDevice& device);

}  // namespace switchyard
