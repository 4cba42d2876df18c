#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/comm/communicator.hpp"
#include "kernels/run/routing_trace.hpp"
#include "kernels/train/train_spec.hpp"

namespace switchyard::kernels {

/// What the routing of one layer did in a step, over all data ranks.
struct LayerLoad {
  std::int64_t num_choices = 0;  ///< dropped ones too
  std::int64_t num_dropped = 0;
  std::int64_t largest_load = 0;  ///< choices of the busiest expert, dropped ones too
};

/// What one step did, over all ranks.
struct TrainStep {
  double loss = 0.0;                ///< cross entropy, mean over tokens, nat
  double aux_loss = 0.0;            ///< of all layers, weighted
  double right_fraction = 0.0;      ///< tokens whose class is right
  double dropped_fraction = 0.0;    ///< of the choices of all layers
  double load_max_over_mean = 0.0;  ///< choices of the busiest expert, mean over layers
  std::vector<LayerLoad> layers = {};
};

struct TrainResult {
  TrainSpec spec;
  std::vector<TrainStep> steps = {};
  RoutingTrace trace = {};   ///< on rank 0
  std::string stopped = {};  ///< why there are fewer steps than asked for: what was not finite
};

/// Trains on all ranks, which must call it together.
/// @throws KernelError on all ranks, but for numbers that are not finite: they end the training
[[nodiscard]] TrainResult train(const TrainSpec& spec, Communicator& ranks);

/// Means over steps begin .. of a result, without `layers`. Precondition: there is one.
[[nodiscard]] TrainStep mean_of_steps(const TrainResult& result, std::size_t begin);

/// A line for about every twentieth of the steps, and the mean of the last quarter.
[[nodiscard]] std::string train_table(const TrainResult& result);

[[nodiscard]] std::string train_json(const TrainResult& result);

}  // namespace switchyard::kernels
