#pragma once

#include <vector>

#include "kernels/measure/operator_point.hpp"

namespace switchyard::kernels {

/// What a machine is measured for.
struct MeasurePlan {
  double budget_s = 180.0;  ///< for both passes
  int threads = 1;          ///< of each rank
  int ranks = 2;            ///< side by side, and of collectives and layers; 1: none
  Transport transport = Transport::kLoopback;  ///< of collectives and layers on several ranks
  double flop_per_s = 4e10;                    ///< of one rank, roughly
  double bytes_per_s = 4e9;                    ///< of one rank, roughly
};

/// The points that fit into the budget, in the order of measuring.
///
/// Sizes are spread evenly in their logarithms (Halton's sequence), so a longer budget adds points
/// between those of a shorter one. Of each operator every third point is held out; the first two,
/// smallest and largest, are fitted to. With several ranks every second point is measured side by
/// side as well. Layers have at most a quarter of the budget.
/// Source: Halton, "On the efficiency of certain quasi-random sequences of points", 1960.
[[nodiscard]] std::vector<OperatorPoint> choose_points(const MeasurePlan& plan);

/// Seconds that both passes of a point take, roughly.
[[nodiscard]] double rough_seconds(const OperatorPoint& point, const MeasurePlan& plan);

}  // namespace switchyard::kernels
