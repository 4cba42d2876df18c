#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/run/run_spec.hpp"

namespace switchyard::kernels {

/// Of the steps of a run.
struct Spread {
  double median = 0.0;
  double p10 = 0.0;
  double p90 = 0.0;
};

/// Quantiles with linear interpolation. Precondition: not empty.
[[nodiscard]] Spread spread_of(std::vector<double> numbers);

/// Time of a part of a step: of each step the longest of all ranks.
struct PhaseMeasurement {
  std::string name;
  Spread seconds;
};

/// What a run measured; the same on every rank.
struct RunMeasurement {
  RunSpec spec;
  int num_ranks = 1;
  std::string backend = {};                   ///< that ran: cpu or cuda
  std::string instruction_set = {};           ///< of the CPU's kernels, or the GPU
  std::vector<PhaseMeasurement> phases = {};  ///< in the order of Phase, of all layers; see Phase
  Spread forward_s = {};                      ///< of all layers
  Spread backward_s = {};                     ///< without the all-reduce of gradients
  Spread step_s = {};
  // Of the last step, over all layers and data ranks.
  std::int64_t num_choices = 0;
  std::int64_t num_dropped = 0;
  std::vector<std::vector<std::int64_t>> expert_choices =
      {};                                                   ///< (layers, experts), dropped ones too
  std::vector<std::vector<std::int64_t>> expert_rows = {};  ///< (layers, experts), kept
  double aux_loss = 0.0;
  double z_loss = 0.0;
  // Of the last step, sent to other ranks, over all ranks.
  std::int64_t all_to_all_bytes = 0;
  std::int64_t tensor_all_reduce_bytes = 0;
  std::int64_t gradient_all_reduce_bytes = 0;
};

/// Most over mean; 0 where all are 0.
[[nodiscard]] double max_over_mean(const std::vector<std::int64_t>& loads);

/// Rows that each part of the experts computes in a step, over all layers; (expert degree).
[[nodiscard]] std::vector<std::int64_t> rows_of_ranks(const RunMeasurement& measurement);

}  // namespace switchyard::kernels
