#pragma once

#include "cost_models/system.hpp"
#include "sim/cli/calibration/calibration_rows.hpp"
#include "sim/workload/lowering.hpp"

namespace switchyard {

/// The layers of the points as the simulator predicts them: a step of a model of one MoE layer on a
/// system of the profile's devices, priced as moe_phase_times(). Layers that share the machine in a
/// way that was not measured (tensor ranks) are predicted as well. Skewed layers over several ranks
/// are the median over draws of which experts are popular.
/// @param device  with the profile's kernels
[[nodiscard]] std::vector<CalibrationRow> layer_rows_of(const DeviceProfile& device,
                                                        const LoweringSpec& lowering,
                                                        const LinkProfiles& links,
                                                        const std::vector<LayerPoint>& layers);

}  // namespace switchyard
