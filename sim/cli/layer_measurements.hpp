#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/planner/fit_layers.hpp"

namespace switchyard {

/// What files of measured MoE layers hold.
struct LayerMeasurements {
  std::vector<std::string> comments;  ///< lines of the files that begin with '#': their sources
  std::vector<LayerMeasurement> rows;
};

/// Adds the rows of a CSV file with the columns framework, version, moe_dtype (bfloat16), tokens,
/// hidden, inter, topk, experts, moe_tp, moe_ep, distribution (balanced) and latency_us, each with
/// its role by splits.yaml in the same folder. Sealed rows are left out unless asked for.
/// @throws ConfigError with every problem, each by file and line.
void add_layer_measurements(const std::filesystem::path& file, bool with_sealed,
                            LayerMeasurements& measurements);

/// The rows of one framework.
[[nodiscard]] std::vector<LayerMeasurement> rows_of(const LayerMeasurements& measurements,
                                                    const std::string& framework);

}  // namespace switchyard
