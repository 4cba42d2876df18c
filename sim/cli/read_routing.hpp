#pragma once

#include "sim/cli/section.hpp"
#include "sim/engine/training_run.hpp"

namespace switchyard {

/// Reads the key `routing` of an experiment into `run`, whose model is there already; the gate's
/// top_k, if given, replaces the model's.
void read_routing(Section section, TrainingRunSpec& run);

/// Problems of the routing with the rest of the run: experts, ranks, dispatch.
void check_routing(const TrainingRunSpec& run, Section& section);

/// The key `routing` as an experiment file would say it, nothing left to defaults.
[[nodiscard]] Json routing_json(const TrainingRunSpec& run);

}  // namespace switchyard
