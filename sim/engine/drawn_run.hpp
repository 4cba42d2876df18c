#pragma once

#include <cstddef>
#include <vector>

#include "sim/engine/training_run.hpp"

namespace switchyard {

/// Times of a timeline that has one microbatch and the update: all microbatches take the same.
struct FoldedTimes {
  Seconds microbatch;
  Seconds step;
};

[[nodiscard]] FoldedTimes folded_times(const StepGraph& graph, const Timeline& timeline);

/// Everything that simulates a draw but the draw.
struct Simulation {
  const TrainingRunSpec& run;
  TrainingStepSpec step;
  StepGraph graph;
  Topology topology;
  EngineKind engine;
};

/// One draw, executed.
struct Execution {
  TaskGraph tasks;
  Timeline timeline;
  FoldedTimes times;
  MemoryEstimate memory;
  std::vector<MemoryPoint> memory_over_time;
};

/// All draws, and the execution that stands for them.
struct DrawnRun {
  std::vector<StepDraw> draws;  ///< without rows
  std::vector<double> times;    ///< of a step in seconds: of each draw that is executed, or of all
  std::vector<double> memory;   ///< total in bytes, the same
  double fits_probability = 0;
  std::size_t median = 0;  ///< the draw of `execution`
  Execution execution;
};

/// Draws and executes as TrainingResult says; once where no draw decides a size.
[[nodiscard]] DrawnRun execute_draws(const Simulation& simulation);

}  // namespace switchyard
