#pragma once

#include <vector>

#include "sim/report/validation_areas.hpp"

namespace switchyard {

/// The tables in experiments/reference as the shipped profiles predict them: products, attention,
/// MoE layers of each software stack, collectives, dispatch and combine. Roles are those of
/// splits.yaml; sealed rows are left out.
/// @throws ConfigError when a shipped file cannot be read.
[[nodiscard]] std::vector<ValidationArea> published_areas();

/// Of those, collectives of NCCL in a node, and DeepEP's dispatch and combine.
[[nodiscard]] std::vector<ValidationArea> published_link_areas();

}  // namespace switchyard
