#include "sim/workload/routing/popularity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

std::vector<double> drawn(const PopularitySpec& spec, int num_experts, std::uint64_t seed = 1) {
  auto rng = stream_engine(seed, {});
  return draw_popularity(spec, num_experts, rng);
}

double sum(const std::vector<double>& shares) {
  return std::accumulate(shares.begin(), shares.end(), 0.0);
}

TEST(DrawPopularity, SumsToOneWhateverTheParameters) {
  for (const int num_experts : {1, 2, 3, 2048})
    for (const PopularitySpec& spec : std::initializer_list<PopularitySpec>{
             UniformPopularity{}, ZipfPopularity{0.0}, ZipfPopularity{1.2}, ZipfPopularity{300.0},
             LognormalPopularity{0.5}, LognormalPopularity{500.0}, DirichletPopularity{1e-300},
             DirichletPopularity{1e-6}, DirichletPopularity{0.3}, DirichletPopularity{1.0},
             DirichletPopularity{1e6}, DirichletPopularity{std::numeric_limits<double>::min()}}) {
      const auto shares = drawn(spec, num_experts);
      ASSERT_EQ(shares.size(), static_cast<std::size_t>(num_experts));
      EXPECT_NEAR(sum(shares), 1.0, 1e-12) << spec.index() << " of " << num_experts;
      EXPECT_GE(std::ranges::min(shares), 0.0);
    }
}

TEST(DrawPopularity, UniformIsTheSameForAll) {
  EXPECT_EQ(drawn(UniformPopularity{}, 4), (std::vector<double>(4, 0.25)));
  EXPECT_EQ(drawn(LognormalPopularity{0.0}, 4), (std::vector<double>(4, 0.25)));
}

TEST(DrawPopularity, ZipfSharesFallWithRankAndAreDealtAtRandom) {
  // Weights 1, 1/2, 1/3, 1/4 of sum 25/12.
  std::set<std::vector<double>> orders;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    auto shares = drawn(ZipfPopularity{1.0}, 4, seed);
    orders.insert(shares);
    std::ranges::sort(shares, std::greater{});
    for (int rank = 1; rank <= 4; ++rank)
      EXPECT_NEAR(shares[static_cast<std::size_t>(rank - 1)], 12.0 / 25.0 / rank, 1e-15);
  }
  // Of 24 orders 40 draws meet 24 (1 - (23/24)^40) = 19.6 in the mean; below 10 is out of reach.
  EXPECT_GE(orders.size(), 10U);
}

TEST(DrawPopularity, LognormalHasTheSigmaAsDeviationOfLogarithms) {
  const auto shares = drawn(LognormalPopularity{0.7}, 20'000);
  double mean = 0.0;
  double square = 0.0;
  for (const double share : shares) {
    mean += std::log(share) / 20'000;
    square += std::log(share) * std::log(share) / 20'000;
  }
  // Standard error of a deviation: 0.7 / sqrt(2 * 20,000) = 0.0035; 4 of these.
  EXPECT_NEAR(std::sqrt(square - mean * mean), 0.7, 0.014);
}

class Dirichlet : public ::testing::TestWithParam<double> {};

TEST_P(Dirichlet, HasItsVariance) {
  // A share of E = 4 has mean 1/4 and variance (1/4)(3/4) / (4 c + 1); by symmetry all four count,
  // so with N = 5000 draws the mean of (share - 1/4)^2 has a relative error of at most
  // sqrt(kurtosis - 1) / sqrt(N). The kurtosis is largest for a small c, where a share is 1 with
  // probability 1/4 and else 0: (1/4 (3/4)^4 + 3/4 (1/4)^4) / (3/16)^2 = 2.33; so 5 errors are
  // within 5 sqrt(2 / 5000) = 0.1 for c <= 0.3, and for large c, of kurtosis up to 4.5, 0.13.
  const double concentration = GetParam();
  constexpr int kDraws = 5000;
  auto rng = stream_engine(3, {});
  double mean_square = 0.0;
  for (int i = 0; i < kDraws; ++i)
    for (const double share : draw_popularity(DirichletPopularity{concentration}, 4, rng))
      mean_square += (share - 0.25) * (share - 0.25) / (4.0 * kDraws);
  const double variance = 3.0 / 16.0 / (4.0 * concentration + 1.0);
  EXPECT_NEAR(mean_square / variance, 1.0, 0.13);
}

INSTANTIATE_TEST_SUITE_P(Concentrations, Dirichlet,
                         ::testing::Values(1e-4, 0.05, 0.3, 1.0, 2.5, 100.0));

TEST(DrawPopularity, ATinyDirichletConcentrationGivesAllToAnyOne) {
  std::set<std::ptrdiff_t> winners;
  for (const double concentration : {1e-5, std::numeric_limits<double>::denorm_min()})
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      const auto shares = drawn(DirichletPopularity{concentration}, 4, seed);
      EXPECT_GT(std::ranges::max(shares), 0.999);
      winners.insert(std::ranges::max_element(shares) - shares.begin());
    }
  EXPECT_EQ(winners.size(), 4U);
}

TEST(DrawPopularity, GivenWeightsAreScaled) {
  EXPECT_EQ(drawn(GivenPopularity{{3, 0, 1}}, 3), (std::vector<double>{0.75, 0, 0.25}));
  // Their sum would overflow, and the inverse of the smallest number too.
  EXPECT_EQ(drawn(GivenPopularity{{1.5e308, 1.5e308}}, 2), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(drawn(GivenPopularity{{5e-324, 5e-324}}, 2), (std::vector<double>{0.5, 0.5}));
}

TEST(DrawPopularity, GivenWeightsMayBeDealtAtRandom) {
  std::set<std::vector<double>> orders;
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    orders.insert(drawn(GivenPopularity{.weights = {3, 0, 1}, .in_any_order = true}, 3, seed));
  // An order of 6 is missed by 60 draws with probability (5/6)^60 = 1.8e-5.
  EXPECT_EQ(orders.size(), 6U);
}

TEST(DrawPopularityDeathTest, RejectsWhatIsNoPopularity) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_DEATH((void)drawn(UniformPopularity{}, 0), "0 experts");
  EXPECT_DEATH((void)drawn(ZipfPopularity{-1.0}, 2), "Zipf exponent -1");
  EXPECT_DEATH((void)drawn(LognormalPopularity{kNan}, 2), "sigma nan");
  EXPECT_DEATH((void)drawn(DirichletPopularity{0.0}, 2), "concentration 0");
  EXPECT_DEATH((void)drawn(GivenPopularity{{1, 2}}, 3), "2 weights for 3 experts");
  EXPECT_DEATH((void)drawn(GivenPopularity{{1, -2}}, 2), "weight -2");
  EXPECT_DEATH((void)drawn(GivenPopularity{{0, 0}}, 2), "2 weights, all 0");
}

}  // namespace
}  // namespace switchyard
