#pragma once

#include "cost_models/moe_layer_time.hpp"
#include "sim/cli/section.hpp"

namespace switchyard {

/// A file of cost_models/profiles/layers.
[[nodiscard]] MoeLayerStack read_layer_stack(Section section);

}  // namespace switchyard
