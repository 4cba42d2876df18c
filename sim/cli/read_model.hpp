#pragma once

#include "sim/cli/section.hpp"
#include "sim/workload/model_spec.hpp"

namespace switchyard {

/// Reads a model: the keys of a file in experiments/models.
[[nodiscard]] ModelSpec read_model(Section section);

}  // namespace switchyard
