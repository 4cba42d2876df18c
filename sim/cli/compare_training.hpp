#pragma once

#include <string>
#include <vector>

#include "sim/cli/training_routing.hpp"

namespace switchyard {

/// Recorded steps of a part of a training; numbers are those of the training's steps.
struct TracedSteps {
  int first = 0;
  int last = 0;
  int count = 0;
};

/// What a model of the routing makes of the fourth quarter.
struct ModelForecast {
  std::string name;    ///< "uniform", "learned" or "given"
  std::string fitted;  ///< what it takes from the third quarter
  std::vector<RoutingForecast> layers;
};

/// The routing of a training beside the simulator's. Where there is one for each layer, the mean of
/// the layers comes last.
struct TrainingComparison {
  std::vector<SlotLimit> limits;  ///< the training's own first, then factors 1, 1.5 and 2
  TracedSteps second_half;
  TracedSteps third_quarter;   ///< what models are fitted to
  TracedSteps fourth_quarter;  ///< what they predict

  // Second half, at the first limit.
  std::vector<RoutingOutcome> measured;  ///< as the kernels counted
  std::vector<RoutingOutcome> replayed;  ///< the recorded choices in the simulator
  int num_compared = 0;                  ///< layers of all recorded steps
  int num_different = 0;                 ///< those whose counts differ

  std::vector<RoutingOutcome> observed;  ///< fourth quarter, replayed at all limits
  std::vector<double> sigmas;            ///< by layer, of "learned"
  double drift_steps = 0;                ///< of "learned"
  int samples = 0;                       ///< of each forecast
  std::vector<ModelForecast> forecasts;
};

/// Finds out before a training whether its routing can be compared.
/// @param file  name for messages
/// @throws ConfigError with all that is in the way
void check_comparable(const kernels::TrainSpec& spec, const std::string& file);

/// Replays the trace of a training and predicts its last quarter from the one before.
/// @param samples  of each forecast
/// Precondition: check_comparable(), and all steps were made.
[[nodiscard]] TrainingComparison compare_training(const kernels::TrainResult& result, int samples);

}  // namespace switchyard
