#pragma once

#include <functional>
#include <vector>

#include <Eigen/Core>

namespace switchyard {

/// A parameter of a fit, positive: where it starts and its bounds.
struct FitRange {
  double start = 1;
  double lowest = 0;
  double highest = 1;
  /// A parameter that is this factor off its start costs as much as one residual of linear_from.
  double start_factor = 100;
};

struct LeastSquaresOptions {
  double linear_from = 0.05;  ///< residual beyond which it counts linearly (pseudo-Huber)
  int max_steps = 60;
};

struct LeastSquaresResult {
  std::vector<double> parameters;
  double cost = 0;  ///< sum of linear_from^2 * 2 * (sqrt(1 + (r / linear_from)^2) - 1), and starts
};

/// The parameters within their bounds whose residuals are least: damped Gauss-Newton on the
/// logarithms of the parameters, with weights renewed at each step and a Jacobian by differences.
/// Deterministic; a local minimum.
/// @param residuals  of parameters; as many each time.
/// Source: Madsen, Nielsen, Tingleff, "Methods for Non-Linear Least Squares Problems", 2004
///         (damping); Holland, Welsch, Communications in Statistics A6(9), 1977 (weights).
/// Precondition: 0 < lowest <= start <= highest (checked).
[[nodiscard]] LeastSquaresResult least_squares(
    const std::function<Eigen::VectorXd(const std::vector<double>&)>& residuals,
    const std::vector<FitRange>& ranges, const LeastSquaresOptions& options = {});

}  // namespace switchyard
