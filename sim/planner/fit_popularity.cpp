#include "sim/planner/fit_popularity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <numeric>
#include <vector>

#include <boost/math/special_functions/erf.hpp>
#include <boost/math/tools/toms748_solve.hpp>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"
#include "sim/workload/routing/inclusion_probabilities.hpp"

namespace switchyard {
namespace {

constexpr double kLargestSigma = 3.0;

/// exp(sigma * normal), scaled to sum 1.
std::vector<double> popularity(double sigma, std::vector<double> normals) {
  for (double& number : normals) number = std::exp(sigma * number);
  const double sum = std::accumulate(normals.begin(), normals.end(), 0.0);
  for (double& share : normals) share /= sum;
  return normals;
}

std::vector<double> draw_normals(int count, std::mt19937_64& rng) {
  std::vector<double> normals(static_cast<std::size_t>(count));
  for (double& number : normals) number = standard_normal(rng);
  return normals;
}

double normal_quantile(double probability) {
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2.0 * probability);
}

/// Normal numbers whose largest, the first, is given: the others are drawn below it.
std::vector<double> draw_normals_below(double largest, int count, std::mt19937_64& rng) {
  const double below = 0.5 * std::erfc(-largest / std::numbers::sqrt2);
  std::vector<double> normals{largest};
  while (normals.size() < static_cast<std::size_t>(count))
    normals.push_back(normal_quantile(below * open_unit(rng)));
  return normals;
}

/// Draws of the same number are made of the same normal numbers, whatever sigma: expectations over
/// draws are then smooth in sigma.
std::mt19937_64 draw_engine(std::uint64_t draw) {
  constexpr std::uint64_t kSeed = 4;
  return stream_engine(kSeed, {draw});
}

/// Where `rising` reaches `target`, between 0 and kLargestSigma.
double solve(const std::function<double(double)>& rising, double target) {
  const auto difference = [&](double sigma) { return rising(sigma) - target; };
  const double highest = difference(kLargestSigma);
  if (highest <= 0) return kLargestSigma;
  std::uintmax_t steps = 100;
  const auto [low, high] =
      boost::math::tools::toms748_solve(difference, 0.0, kLargestSigma, difference(0.0), highest,
                                        boost::math::tools::eps_tolerance<double>{20}, steps);
  return (low + high) / 2.0;
}

}  // namespace

double expected_log_load_range(double sigma, const LoadRange& range) {
  constexpr std::uint64_t kDraws = 1000;  // standard error of the mean: 0.5 %
  double sum = 0.0;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    auto rng = draw_engine(draw);
    double smallest = 1.0;
    double largest = 0.0;
    for (int group = 0; group < range.num_groups; ++group) {
      const auto loads = inclusion_probabilities(
          popularity(sigma, draw_normals(range.num_experts, rng)), range.top_k);
      const auto [least, most] = std::ranges::minmax(loads);
      smallest = std::min(smallest, least);
      largest = std::max(largest, most);
    }
    sum += std::log(largest / smallest);
  }
  return sum / static_cast<double>(kDraws);
}

double fit_sigma_to_load_range(const LoadRange& range) {
  SWITCHYARD_CHECK(0.0 < range.smallest && range.smallest < range.largest, "loads {} to {}",
                   range.smallest, range.largest);
  return solve([&](double sigma) { return expected_log_load_range(sigma, range); },
               std::log(range.largest / range.smallest));
}

double expected_max_violation(double sigma, int num_experts, int top_k) {
  // The largest of n normal numbers, on which most depends, takes kDraws equally probable values:
  // its distribution function is that of one to the power n. What is left to chance moves the mean
  // by half a percent.
  constexpr std::uint64_t kDraws = 100;
  double sum = 0.0;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    auto rng = draw_engine(draw);
    const double probability = (static_cast<double>(draw) + 0.5) / static_cast<double>(kDraws);
    const double largest = normal_quantile(std::pow(probability, 1.0 / num_experts));
    const auto loads = inclusion_probabilities(
        popularity(sigma, draw_normals_below(largest, num_experts, rng)), top_k);
    sum += std::ranges::max(loads) * num_experts / top_k - 1.0;
  }
  return sum / static_cast<double>(kDraws);
}

double fit_sigma_to_max_violation(const BalanceViolation& violation) {
  SWITCHYARD_CHECK(violation.max_violation > 0.0, "violation {}", violation.max_violation);
  return solve(
      [&](double sigma) {
        return expected_max_violation(sigma, violation.num_experts, violation.top_k);
      },
      violation.max_violation);
}

double combined_sigma(std::span<const double> sigmas) {
  SWITCHYARD_CHECK(!sigmas.empty(), "no sigma");
  double log_sum = 0.0;
  for (const double sigma : sigmas) {
    SWITCHYARD_CHECK(sigma > 0.0, "sigma {}", sigma);
    log_sum += std::log(sigma);
  }
  return std::exp(log_sum / static_cast<double>(sigmas.size()));
}

double expected_share_of_loads(double sigma, const LoadRange& range, double low, double high) {
  constexpr std::uint64_t kDraws = 2000;
  double inside = 0.0;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    auto rng = draw_engine(draw);
    for (const double load : inclusion_probabilities(
             popularity(sigma, draw_normals(range.num_experts, rng)), range.top_k))
      if (low <= load / range.top_k && load / range.top_k <= high) inside += 1.0;
  }
  return inside / static_cast<double>(kDraws) / range.num_experts;
}

}  // namespace switchyard
