#include "sim/planner/fit_popularity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

constexpr LoadRange kMixtral{
    .num_experts = 8, .top_k = 2, .num_groups = 24, .smallest = 0.06, .largest = 0.19};

// Order statistics: the largest of N = 192 normal numbers is expected at the quantile of
// (N - 3/8) / (N + 1/4) = 0.99675 (Blom), 2.72, the smallest at -2.72. The logarithm of a share is
// sigma times a normal number less (nearly) the mean of its group of 8, of standard deviation
// sqrt(7/8) sigma = 0.935 sigma. The load of two choices moves less than the share: from
// q = p (1 + sum over the others of p_j / (1 - p_j)) follows dq/q = (1 - 4/49) dp/p = 0.918 dp/p at
// even shares. So ln(0.19 / 0.06) = 1.153 is 2 * 2.72 * 0.935 * 0.918 sigma: sigma = 0.247.
// That is for small sigma and without the spread of the order statistics: 3 %.
TEST(SigmaOfLoadRange, IsThatOfOrderStatistics) {
  EXPECT_NEAR(fit_sigma_to_load_range(kMixtral), 0.247, 0.03 * 0.247);
}

// If popularity were the same on all data sets, the extremes would be those of 3 layers, 24 loads:
// (24 - 3/8) / (24 + 1/4) = 0.97423 is the quantile 1.95, so sigma = 1.153 / (2 * 1.95 * 0.859) =
// 0.344.
TEST(SigmaOfLoadRange, IsLargerOfFewerLoads) {
  LoadRange range = kMixtral;
  range.num_groups = 3;
  EXPECT_NEAR(fit_sigma_to_load_range(range), 0.344, 0.03 * 0.344);
}

TEST(SigmaOfLoadRange, IsFoundAgain) {
  LoadRange range = kMixtral;
  range.largest = range.smallest * std::exp(expected_log_load_range(0.5, range));
  EXPECT_NEAR(fit_sigma_to_load_range(range), 0.5, 1e-5);
}

// The largest of 64 normal numbers is expected at 2.344 (Harter, "Expected Values of Normal Order
// Statistics", Biometrika 48, 1961; Blom: (64 - 3/8) / (64 + 1/4) -> 2.34). Less the mean of the 64
// it is 2.344 still, since that mean is 0. Loads of six choices: about 1 - exp(-p t) with
// x = p t = -ln(1 - 6/64) = 0.0984 at even shares, so dq/q = x exp(-x) / (1 - exp(-x)) dp/p =
// 0.951 dp/p. A violation of 0.04 needs sigma = 0.04 / (2.344 * 0.951) = 0.0179. 2 %: 1 % of
// second order (2.344 sigma / 2), 0.5 % of chance.
TEST(SigmaOfMaxViolation, IsThatOfOrderStatisticsWhereSmall) {
  EXPECT_NEAR(fit_sigma_to_max_violation({.max_violation = 0.04}), 0.0179, 0.02 * 0.0179);
}

// One choice: the load is the share, 1 + violation = E max(w) n / sum(w). Plain draws from another
// stream: 20,000 of them, the violation's standard deviation below 0.3, standard error below
// 0.0022; 0.01 beside the 0.5 % of chance on the other side, 0.004.
TEST(ExpectedMaxViolation, AgreesWithPlainDraws) {
  constexpr int kDraws = 20'000;
  double sum = 0;
  auto rng = stream_engine(99, {1});
  for (int draw = 0; draw < kDraws; ++draw) {
    std::array<double, 64> weights{};
    for (double& weight : weights) weight = std::exp(0.25 * standard_normal(rng));
    sum += std::ranges::max(weights) * 64 / std::accumulate(weights.begin(), weights.end(), 0.0);
  }
  EXPECT_NEAR(expected_max_violation(0.25, 64, 1), sum / kDraws - 1, 0.01);
}

TEST(ExpectedMaxViolation, GrowsWithSigmaFromZero) {
  EXPECT_NEAR(expected_max_violation(0.0, 64, 6), 0.0, 1e-9);
  double last = 0;
  for (const double sigma : {0.05, 0.2, 0.5, 1.0}) {
    const double violation = expected_max_violation(sigma, 64, 6);
    EXPECT_GT(violation, last);
    last = violation;
  }
}

// sqrt(0.1 * 0.4) = 0.2.
TEST(CombinedSigma, IsTheGeometricMean) {
  EXPECT_NEAR(combined_sigma(std::vector<double>{0.1, 0.4}), 0.2, 1e-15);
}

// ln(0.15 / 0.125) = 0.182 and ln(0.10 / 0.125) = -0.223 in units of 0.935 * 0.918 * 0.247 = 0.212:
// 0.86 and -1.05, between which lie 0.805 - 0.147 = 66 % of a normal distribution. Loads above the
// mean are skewed: 4 points.
TEST(ShareOfLoads, IsNearlyThatOfANormalDistribution) {
  EXPECT_NEAR(expected_share_of_loads(0.247, kMixtral, 0.10, 0.15), 0.66, 0.04);
}

// Why a power law with exponent 1.2 is no default. As ranks, r^-1.2 of 8 experts: the sum is 1 +
// 0.435 + 0.268 + 0.189 + 0.145 + 0.116 + 0.097 + 0.082 = 2.333, the top share 0.429, twice the
// largest that Mixtral has (0.19). As weights drawn from x^-1.2 on [1, X], the way of the tables
// of AIConfigurator (X = 0.8 * 8192 tokens): the tail exponent 0.2 leaves no mean, one weight has
// most of the sum. More than 1/k = 0.5 of the choices cannot go to one expert, as a token chooses
// it once: the median is above that, so the typical draw is at the maximum, load / mean = E / k
// = 4.
TEST(PowerLaw, SaturatesForEightExperts) {
  double sum = 0;
  for (int rank = 1; rank <= 8; ++rank) sum += std::pow(rank, -1.2);
  EXPECT_NEAR(1 / sum, 0.429, 0.001);

  constexpr double kExponent = 1.2;
  const double tail = std::pow(0.8 * 8192, 1 - kExponent);  // of X, where that of 1 is 1
  std::vector<double> top_shares;
  auto rng = stream_engine(7, {1});
  for (int draw = 0; draw < 2001; ++draw) {
    std::array<double, 8> weights{};
    for (double& weight : weights)
      weight = std::pow(1 - open_unit(rng) * (1 - tail), 1 / (1 - kExponent));
    top_shares.push_back(std::ranges::max(weights) /
                         std::accumulate(weights.begin(), weights.end(), 0.0));
  }
  std::ranges::nth_element(top_shares, top_shares.begin() + 1000);
  EXPECT_GT(top_shares[1000], 0.5);
}

}  // namespace
}  // namespace switchyard
