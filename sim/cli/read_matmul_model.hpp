#pragma once

#include "cost_models/device_profile.hpp"
#include "cost_models/matmul_model.hpp"
#include "sim/cli/section.hpp"

namespace switchyard {

/// A dimensionless constant: {value: 0.8, provenance: fitted, range: [0.5, 1]}.
/// @param zero  whether the value may be 0.
[[nodiscard]] Constant read_constant(Section section, bool zero = false);

/// A constant that is a time: {value: 2 us, provenance: fitted, range: [0 us, 5 us]}.
[[nodiscard]] QuantityConstant<Seconds> read_time_constant(Section section);

/// A constant that is a rate: {value: 60 GB/s, provenance: fitted, range: [30 GB/s, 150 GB/s]}.
[[nodiscard]] QuantityConstant<BytesPerSecond> read_bandwidth_constant(Section section);

/// What a prediction is worth: {range: [0.8, 1.25], provenance: measured}.
[[nodiscard]] StepInterval read_step_interval(Section section);

/// The matmul_model of a file in cost_models/profiles.
[[nodiscard]] MatmulModel read_matmul_model(Section section);

}  // namespace switchyard
