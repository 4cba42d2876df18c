#pragma once

#include "sim/cli/compare/observed_step.hpp"
#include "sim/engine/training_run.hpp"

namespace switchyard {

/// A step as `run` predicts it, on its busiest rank.
struct PredictedStep {
  Seconds step{};
  TimesByClass times{};  ///< of collectives: while the rank computes nothing
  Seconds idle{};
};

/// The breakdown of the run's step, with the parts of each operator class told apart: products,
/// attention between them, the rest. Of a pipeline they are told apart as in the chunk of its
/// busiest stage that the timeline shows.
[[nodiscard]] PredictedStep predicted_step(const TrainingRunSpec& run, EngineKind engine);

}  // namespace switchyard
