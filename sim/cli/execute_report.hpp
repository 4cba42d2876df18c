#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernels/run/run_measurement.hpp"
#include "sim/engine/moe_phase_times.hpp"

namespace switchyard {

/// A case that was predicted and run.
struct ExecutedCase {
  std::string name;
  MoePhaseTimes predicted;  ///< of all MoE layers of the stack
  /// Of the draw that was run, mean of the stack's layers; none where fewer layers were run.
  std::optional<double> predicted_dropped_fraction{};
  std::string speed{};    ///< of a device with measured kernels: burst or sustained
  double slowdown = 1.0;  ///< of predicted computing: ranks that share a core
  kernels::RunMeasurement measured;
};

/// One line of the comparison: seconds of all layers of a step.
struct PhaseComparison {
  std::string name;
  double predicted_s = 0;
  double measured_s = 0;                   ///< median over steps
  std::optional<Provenance> provenance{};  ///< of the prediction: the worst of its parts
};

/// Phases in the order of MoePhase, then "gradient sums" and "step". Forward and backward together
/// unless the run was forward alone; predictions are scaled to the layers that ran.
[[nodiscard]] std::vector<PhaseComparison> compare_phases(const ExecutedCase& executed);

[[nodiscard]] std::string execute_tables(const std::vector<ExecutedCase>& cases);
[[nodiscard]] nlohmann::ordered_json execute_json(const std::vector<ExecutedCase>& cases);

}  // namespace switchyard
