#include "cost_models/calibration/least_squares.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr double kDifference = 1e-4;  ///< of a logarithm, for the Jacobian
constexpr double kConverged = 1e-9;   ///< relative decrease of the cost

using Residuals = std::function<Eigen::VectorXd(const std::vector<double>&)>;

/// The problem in logarithms, with one residual more for each parameter: its distance to its start.
class Problem {
 public:
  Problem(const Residuals& residuals, const std::vector<FitRange>& ranges,
          const LeastSquaresOptions& options)
      : residuals_{&residuals}, ranges_{&ranges}, options_{options} {}

  [[nodiscard]] Eigen::VectorXd at(const Eigen::VectorXd& logs) const {
    const Eigen::VectorXd of_rows = (*residuals_)(parameters(logs));
    Eigen::VectorXd all(of_rows.size() + logs.size());
    all.head(of_rows.size()) = of_rows;
    for (Eigen::Index j = 0; j < logs.size(); ++j)
      all[of_rows.size() + j] = options_.linear_from / std::log(range(j).start_factor) *
                                (logs[j] - std::log(range(j).start));
    return all;
  }

  /// Within the bounds, which exp(log(x)) may miss by a bit.
  [[nodiscard]] std::vector<double> parameters(const Eigen::VectorXd& logs) const {
    std::vector<double> values;
    for (Eigen::Index j = 0; j < logs.size(); ++j)
      values.push_back(std::clamp(std::exp(logs[j]), range(j).lowest, range(j).highest));
    return values;
  }

  [[nodiscard]] Eigen::VectorXd within_bounds(Eigen::VectorXd logs) const {
    for (Eigen::Index j = 0; j < logs.size(); ++j)
      logs[j] = std::clamp(logs[j], std::log(range(j).lowest), std::log(range(j).highest));
    return logs;
  }

  [[nodiscard]] double cost(const Eigen::VectorXd& residuals) const {
    const double unit = options_.linear_from;
    double sum = 0;
    for (const double r : residuals)
      sum += 2.0 * unit * unit * (std::sqrt(1.0 + r * r / (unit * unit)) - 1.0);
    return sum;
  }

  /// The weights whose squares have the cost's slope.
  [[nodiscard]] Eigen::VectorXd weights(const Eigen::VectorXd& residuals) const {
    return (1.0 + (residuals / options_.linear_from).array().square()).rsqrt();
  }

  [[nodiscard]] Eigen::MatrixXd jacobian(const Eigen::VectorXd& logs,
                                         const Eigen::VectorXd& residuals) const {
    Eigen::MatrixXd slopes(residuals.size(), logs.size());
    for (Eigen::Index j = 0; j < logs.size(); ++j) {
      Eigen::VectorXd moved = logs;
      moved[j] += kDifference;
      slopes.col(j) = (at(moved) - residuals) / kDifference;
    }
    return slopes;
  }

 private:
  [[nodiscard]] const FitRange& range(Eigen::Index j) const {
    return (*ranges_)[static_cast<std::size_t>(j)];
  }

  const Residuals* residuals_;
  const std::vector<FitRange>* ranges_;
  LeastSquaresOptions options_;
};

}  // namespace

LeastSquaresResult least_squares(const Residuals& residuals, const std::vector<FitRange>& ranges,
                                 const LeastSquaresOptions& options) {
  Eigen::VectorXd logs(static_cast<Eigen::Index>(ranges.size()));
  for (std::size_t j = 0; j < ranges.size(); ++j) {
    const auto& [start, lowest, highest, start_factor] = ranges[j];
    SWITCHYARD_CHECK(start_factor > 1.0 && 0.0 < lowest && lowest <= start && start <= highest,
                     "start {} in [{}, {}]", start, lowest, highest);
    logs[static_cast<Eigen::Index>(j)] = std::log(start);
  }
  const Problem problem{residuals, ranges, options};
  Eigen::VectorXd now = problem.at(logs);
  double cost = problem.cost(now);
  double damping = 1e-3;
  for (int step = 0; step < options.max_steps; ++step) {
    const Eigen::MatrixXd slopes = problem.jacobian(logs, now);
    const Eigen::VectorXd weights = problem.weights(now);
    const Eigen::MatrixXd normal = slopes.transpose() * weights.asDiagonal() * slopes;
    const Eigen::VectorXd gradient = slopes.transpose() * weights.asDiagonal() * now;
    bool is_better = false;
    double decrease = 0;
    while (!is_better && damping < 1e9) {
      Eigen::MatrixXd damped = normal;
      damped.diagonal() += damping * (normal.diagonal().array() + 1e-12).matrix();
      const Eigen::VectorXd moved = problem.within_bounds(logs - damped.ldlt().solve(gradient));
      const Eigen::VectorXd there = problem.at(moved);
      const double cost_there = problem.cost(there);
      is_better = cost_there < cost;
      damping *= is_better ? 0.2 : 4.0;
      if (!is_better) continue;
      decrease = cost - cost_there;
      logs = moved;
      now = there;
      cost = cost_there;
    }
    if (!is_better || decrease < kConverged * cost) break;
    damping = std::max(damping, 1e-9);
  }
  return {.parameters = problem.parameters(logs), .cost = cost};
}

}  // namespace switchyard
