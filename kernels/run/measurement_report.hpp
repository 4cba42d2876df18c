#pragma once

#include <string>

#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {

/// One JSON document, keys in a fixed order that end in their unit.
/// @param predicted  a JSON value that is put under "predicted"
[[nodiscard]] std::string measurement_json(const RunMeasurement& measurement,
                                           const std::string& predicted = "null");

/// For a terminal.
[[nodiscard]] std::string measurement_table(const RunMeasurement& measurement);

}  // namespace switchyard::kernels
