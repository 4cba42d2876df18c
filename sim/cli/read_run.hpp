#pragma once

#include "sim/cli/section.hpp"
#include "sim/engine/training_run.hpp"

namespace switchyard {

/// Reads the keys of an experiment file that describe a training run: model, system, partition,
/// batch, precision, routing, draws, seed, anchor. Does not finish the section: it has other keys
/// too.
[[nodiscard]] TrainingRunSpec read_training_run(Section& section);

}  // namespace switchyard
