#pragma once

#include "sim/cli/section.hpp"
#include "sim/workload/routing/router_spec.hpp"

namespace switchyard {

/// Reads `kind` of a routing section and the keys that it brings.
[[nodiscard]] RouterSpec read_router(Section& section);

/// The same as an experiment file would say it.
[[nodiscard]] Json router_json(const RouterSpec& router);

/// What is wrong with a router for a model of `num_experts` experts with `num_layers` MoE layers in
/// its deepest stack, of which each token tries `num_choices`.
void check_router(const RouterSpec& router, int num_experts, int num_layers, int num_choices,
                  Section& section);

}  // namespace switchyard
