#include "sim/workload/routing/learned_popularity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"
#include "sim/workload/routing/popularity.hpp"

namespace switchyard {
namespace {

constexpr int kExperts = 4096;

/// Logarithms of the shares, less their mean.
std::vector<double> logits(const LearnedRouter& spec, int layer, std::uint64_t draw,
                           int num_experts = kExperts) {
  auto values = learned_shares(spec, num_experts, layer, {.seed = 1, .draw = draw});
  for (double& value : values) value = std::log(value);
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / num_experts;
  for (double& value : values) value -= mean;
  return values;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / static_cast<double>(a.size());
}

double deviation(const std::vector<double>& a) { return std::sqrt(product(a, a)); }

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  return product(a, b) / deviation(a) / deviation(b);
}

TEST(LearnedShares, KeepTheirSpreadFromDrawToDraw) {
  const LearnedRouter spec{
      .lognormal_sigma = 0.4, .drift_steps = 100.0, .steps_between_draws = 10.0};
  // Standard error 0.4 / sqrt(2 * 4096) = 0.0044; 4 of these.
  for (const std::uint64_t draw : {0, 1, 5, 300})
    EXPECT_NEAR(deviation(logits(spec, 0, draw)), 0.4, 0.018) << draw;
}

TEST(LearnedShares, DriftAsAnAutoregressiveProcess) {
  const LearnedRouter spec{
      .lognormal_sigma = 0.4, .drift_steps = 100.0, .steps_between_draws = 10.0};
  // Correlation exp(-10 n / 100) after n draws, with a standard error of (1 - rho^2) / sqrt(4096).
  for (const std::uint64_t from : {0, 40})
    for (const std::uint64_t lag : {1, 5, 20}) {
      const double rho = std::exp(-0.1 * static_cast<double>(lag));
      EXPECT_NEAR(correlation(logits(spec, 0, from), logits(spec, 0, from + lag)), rho,
                  4.0 * (1.0 - rho * rho) / 64.0);
    }
}

TEST(LearnedShares, FollowTheRecursion) {
  // z_2 - rho z_1 is sqrt(1 - rho^2) e_2, so it has nothing to do with z_1 nor with z_0.
  const LearnedRouter spec{
      .lognormal_sigma = 1.0, .drift_steps = 1.0, .steps_between_draws = std::log(2.0)};
  const auto z_0 = logits(spec, 0, 0);
  const auto z_1 = logits(spec, 0, 1);
  auto fresh = logits(spec, 0, 2);
  for (std::size_t e = 0; e < fresh.size(); ++e) fresh[e] -= 0.5 * z_1[e];
  EXPECT_NEAR(correlation(fresh, z_0), 0.0, 4.0 / 64.0);
  EXPECT_NEAR(correlation(fresh, z_1), 0.0, 4.0 / 64.0);
  // Deviation sqrt(1 - 1/4); standard error 0.866 / sqrt(2 * 4096).
  EXPECT_NEAR(deviation(fresh), std::sqrt(0.75), 4.0 * 0.0096);
}

TEST(LearnedShares, AreIndependentWithoutDrift) {
  const LearnedRouter spec{.lognormal_sigma = 0.4};
  EXPECT_NEAR(correlation(logits(spec, 0, 0), logits(spec, 0, 1)), 0.0, 4.0 / 64.0);
  EXPECT_NEAR(correlation(logits(spec, 0, 0), logits(spec, 1, 0)), 0.0, 4.0 / 64.0);
}

TEST(LearnedShares, OfALateDrawNeedOnlyThePastThatMatters) {
  // rho = exp(-1): 1e-12 is reached after 28 draws, so this takes no 10^15 of them.
  const LearnedRouter spec{.lognormal_sigma = 0.4, .drift_steps = 1.0};
  EXPECT_NEAR(deviation(logits(spec, 0, 1'000'000'000'000'000)), 0.4, 0.018);
}

TEST(LearnedShares, HaveASpreadOfEachLayer) {
  const LearnedRouter spec{.lognormal_sigma = 0.3, .layer_spread = 0.5};
  constexpr int kLayers = 400;
  double mean = 0.0;
  double square = 0.0;
  for (int layer = 0; layer < kLayers; ++layer) {
    const double log_ratio = std::log(deviation(logits(spec, layer, 0, 1024)) / 0.3);
    mean += log_ratio / kLayers;
    square += log_ratio * log_ratio / kLayers;
  }
  // Mean 0 +- 0.5 / sqrt(400), deviation 0.5 +- 0.5 / sqrt(800); 4 of each. Measuring a sigma with
  // 1024 experts adds 1 / sqrt(2048) = 0.022: the deviation becomes 0.5005.
  EXPECT_NEAR(mean, 0.0, 0.1);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 0.5, 0.071);
}

TEST(LearnedShares, KeepALayersOwnSpreadInAllDraws) {
  const LearnedRouter spec{.lognormal_sigma = 0.3, .layer_spread = 0.8};
  // Each of the two is measured to 1 / sqrt(2 * 4096) = 1.1 %: the ratio to 1.6 %; 4 of these.
  for (const int layer : {0, 1, 2})
    EXPECT_NEAR(deviation(logits(spec, layer, 0)) / deviation(logits(spec, layer, 7)), 1.0, 0.063);
}

TEST(BalancedLogits, MoveByOneUpdateAStep) {
  // Shares 1/4 and 3/4: the first is below the mean of 1/2 and rises, the second falls.
  const std::vector<double> z{0.0, std::log(3.0)};
  const auto once = balanced_logits(z, {.update = 0.01, .steps = 1});
  EXPECT_DOUBLE_EQ(once[0], 0.01);
  EXPECT_DOUBLE_EQ(once[1], std::log(3.0) - 0.01);
  EXPECT_EQ(balanced_logits(z, {.update = 0.01, .steps = 0}), z);
}

TEST(BalancedLogits, LeaveABalancedRouterAlone) {
  const std::vector<double> z(8, 0.3);
  EXPECT_EQ(balanced_logits(z, {.update = 0.01, .steps = 100}), z);
}

/// The same, step by step as it is defined.
std::vector<double> balanced_step_by_step(std::vector<double> logits,
                                          const BiasBalancing& balancing) {
  std::vector<int> bias(logits.size(), 0);
  for (int step = 0; step < balancing.steps; ++step) {
    std::vector<double> biased = logits;
    for (std::size_t e = 0; e < biased.size(); ++e) biased[e] += bias[e] * balancing.update;
    const auto load = softmax(biased);
    for (std::size_t e = 0; e < biased.size(); ++e)
      bias[e] += load[e] * static_cast<double>(biased.size()) > 1.0 ? -1 : 1;
  }
  for (std::size_t e = 0; e < logits.size(); ++e) logits[e] += bias[e] * balancing.update;
  return logits;
}

TEST(BalancedLogits, AreThoseOfAllStepsThoughTheyStopEarly) {
  auto rng = stream_engine(3, {});
  std::vector<double> z(16);
  for (double& logit : z) logit = 0.5 * standard_normal(rng);
  for (const int steps : {1, 2, 10, 99, 100, 1023, 1024, 1025, 1500, 1501, 3000, 3001}) {
    const BiasBalancing balancing{.update = 0.001, .steps = steps};
    EXPECT_EQ(balanced_logits(z, balancing), balanced_step_by_step(z, balancing)) << steps;
  }
}

TEST(BalancedLogits, EndWithinAnUpdateOrTwoOfBalance) {
  // Logits of |z| below 5 * 0.5 reach the mean in 2500 steps of 0.001 and then stay within one
  // update of where they cross it; the mean itself moves by less than one. So the largest load is
  // within exp(0.003) of the mean.
  const LearnedRouter balanced{.lognormal_sigma = 0.5, .bias_balancing = BiasBalancing{}};
  const LearnedRouter plain{.lognormal_sigma = 0.5};
  for (const std::uint64_t draw : {0, 1, 2}) {
    const RoutingStream stream{.seed = 1, .draw = draw};
    const auto imbalance = [&](const LearnedRouter& spec) {
      return 256.0 * std::ranges::max(learned_shares(spec, 256, 0, stream));
    };
    EXPECT_LE(imbalance(balanced), std::exp(0.003));
    EXPECT_GT(imbalance(plain), 2.0);
  }
}

}  // namespace
}  // namespace switchyard
