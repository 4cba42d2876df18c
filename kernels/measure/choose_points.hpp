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

/// Share of the time that may be spent on waiting until nobody else works on the machine.
inline constexpr double kMostWaiting = 0.3;

/// The points that fit into the budget, in the order of measuring: the first few of each operator,
/// collectives, layers, and the operators' others, the coarsest first.
///
/// Sizes are spread evenly in their logarithms (Kronecker's sequence of the root of x^(d + 1) = x +
/// 1 in d dimensions), so a longer budget adds points between those of a shorter one. Of each
/// operator every third point is held out; the smallest and the largest are fitted to. With several
/// ranks two of five are measured side by side as well. Layers have at most a fifth of the budget.
[[nodiscard]] std::vector<OperatorPoint> choose_points(const MeasurePlan& plan);

/// Seconds that both passes of a point take, roughly.
[[nodiscard]] double rough_seconds(const OperatorPoint& point, const MeasurePlan& plan);

}  // namespace switchyard::kernels
