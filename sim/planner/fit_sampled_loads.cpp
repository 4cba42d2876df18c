#include "sim/planner/fit_sampled_loads.hpp"

#include <algorithm>
#include <cmath>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"
#include "sim/workload/routing/inclusion_probabilities.hpp"
#include "sim/workload/routing/popularity.hpp"

namespace switchyard {
namespace {

constexpr double kLargestSigma = 3.0;
constexpr double kLargestCorrelation = 0.999;

std::size_t num_experts(const SampledLoads& loads) {
  SWITCHYARD_CHECK(!loads.steps.empty() && loads.num_tokens >= 2, "{} steps of {} tokens",
                   loads.steps.size(), loads.num_tokens);
  return loads.steps.front().size();
}

/// sum_e q_e^2 of loads that are all equal.
double even_square_load(const SampledLoads& loads) {
  return static_cast<double>(loads.top_k) * loads.top_k / static_cast<double>(num_experts(loads));
}

}  // namespace

double mean_square_load(const SampledLoads& loads) {
  (void)num_experts(loads);
  const auto tokens = static_cast<double>(loads.num_tokens);
  double sum = 0.0;
  for (const auto& step : loads.steps)
    for (const std::int64_t count : step) {
      const auto chosen = static_cast<double>(count);
      sum += chosen * (chosen - 1.0) / (tokens * (tokens - 1.0));
    }
  return sum / static_cast<double>(loads.steps.size());
}

double mean_neighbour_product(const SampledLoads& loads) {
  SWITCHYARD_CHECK(loads.steps.size() >= 2, "{} steps", loads.steps.size());
  const auto tokens = static_cast<double>(loads.num_tokens);
  double sum = 0.0;
  for (std::size_t i = 1; i < loads.steps.size(); ++i)
    for (std::size_t e = 0; e < num_experts(loads); ++e)
      sum += static_cast<double>(loads.steps[i - 1][e]) * static_cast<double>(loads.steps[i][e]) /
             (tokens * tokens);
  return sum / static_cast<double>(loads.steps.size() - 1);
}

double expected_square_load(double sigma, int num_experts, int top_k) {
  // The same normal numbers whatever sigma, so that the mean is smooth in it.
  constexpr std::uint64_t kDraws = 400;
  constexpr std::uint64_t kSeed = 5;
  double sum = 0.0;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    auto rng = stream_engine(kSeed, {draw});
    const auto popularity = draw_popularity(LognormalPopularity{sigma}, num_experts, rng);
    for (const double load : inclusion_probabilities(popularity, top_k)) sum += load * load;
  }
  return sum / static_cast<double>(kDraws);
}

double fit_sigma_to_loads(const SampledLoads& loads) {
  const double target = mean_square_load(loads);
  const auto experts = static_cast<int>(num_experts(loads));
  if (target <= even_square_load(loads)) return 0.0;
  double low = 0.0;
  double high = kLargestSigma;
  constexpr int kHalvings = 30;  // to 3e-9
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2.0;
    (expected_square_load(middle, experts, loads.top_k) < target ? low : high) = middle;
  }
  return (low + high) / 2.0;
}

double neighbour_correlation(std::span<const SampledLoads> layers) {
  double same = 0.0;
  double next = 0.0;
  for (const SampledLoads& loads : layers) {
    same += mean_square_load(loads) - even_square_load(loads);
    next += mean_neighbour_product(loads) - even_square_load(loads);
  }
  return same > 0.0 ? std::clamp(next / same, 0.0, kLargestCorrelation) : 0.0;
}

}  // namespace switchyard
