#include "sim/core/random.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

// First output of the generator's reference implementation from state 0 (Vigna, splitmix64.c).
static_assert(splitmix64(0) == 0xe220a8397b1dcdafU);

constexpr std::uint64_t kSeed = 7;

TEST(StreamEngine, IsAFunctionOfSeedAndIds) {
  auto a = stream_engine(kSeed, {1, 2});
  auto b = stream_engine(kSeed, {1, 2});
  EXPECT_EQ(a, b);
}

TEST(StreamEngine, DiffersBySeedIdOrderAndNumberOfIds) {
  const std::vector<std::mt19937_64> engines = {
      stream_engine(7, {}),     stream_engine(8, {}),     stream_engine(7, {0}),
      stream_engine(7, {1}),    stream_engine(7, {0, 0}), stream_engine(7, {0, 1}),
      stream_engine(7, {1, 0}), stream_engine(8, {1}),    stream_engine(1, {7}),
  };
  std::set<std::uint64_t> first_numbers;
  for (auto rng : engines) first_numbers.insert(rng());
  EXPECT_EQ(first_numbers.size(), engines.size());
}

TEST(StreamEngine, NeighbouringStreamsAreUncorrelated) {
  constexpr int kDraws = 10000;
  auto a = stream_engine(kSeed, {0});
  auto b = stream_engine(kSeed, {1});
  double sum = 0.0;
  for (int i = 0; i < kDraws; ++i) sum += (open_unit(a) - 0.5) * (open_unit(b) - 0.5);
  // Each product has mean 0 and deviation 1/12, their mean 1/12 / sqrt(10000) = 8.3e-4; 5 of these.
  EXPECT_NEAR(sum / kDraws, 0.0, 4.2e-3);
}

// The ends of the range are open: half a step above 0 and below 1.
static_assert(open_unit(std::uint64_t{0}) == 0x1p-53);
static_assert(open_unit(~std::uint64_t{0}) == 1.0 - 0x1p-53);

TEST(OpenUnit, IsUniform) {
  constexpr int kDraws = 100000;
  auto rng = stream_engine(kSeed, {0});
  double sum = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = open_unit(rng);
    ASSERT_TRUE(0.0 < u && u < 1.0);
    sum += u;
  }
  // Deviation of the mean: sqrt(1/12 / 100000) = 9.1e-4; 5 of these.
  EXPECT_NEAR(sum / kDraws, 0.5, 4.6e-3);
}

TEST(UniformBelow, ReachesEachValueEquallyOften) {
  constexpr int kDraws = 60000;
  std::array<int, 6> count{};
  auto rng = stream_engine(kSeed, {1});
  for (int i = 0; i < kDraws; ++i) ++count.at(uniform_below(count.size(), rng));
  // 10000 expected, deviation sqrt(60000 * 1/6 * 5/6) = 91; 5 of these.
  for (const int n : count) EXPECT_NEAR(n, 10000, 456);
}

TEST(UniformBelow, OneHasOneValue) {
  auto rng = stream_engine(kSeed, {2});
  EXPECT_EQ(uniform_below(1, rng), 0U);
}

TEST(UniformBelow, IsUnbiasedWhereTheRangeIsLarge) {
  // Of 2^64 numbers onto 3 * 2^62 values, a third of the values would come twice as often and have
  // the share 1/2: with a plain modulo the lowest third, with a plain multiplication every third.
  constexpr std::uint64_t kCount = 3ULL << 62;
  constexpr int kDraws = 30000;
  auto rng = stream_engine(kSeed, {3});
  int num_low = 0;
  int num_multiples_of_three = 0;
  for (int i = 0; i < kDraws; ++i) {
    const auto value = uniform_below(kCount, rng);
    ASSERT_LT(value, kCount);
    num_low += value < kCount / 3;
    num_multiples_of_three += value % 3 == 0;
  }
  // Both 10000 expected, deviation sqrt(30000 * 1/3 * 2/3) = 82; 5 of these.
  EXPECT_NEAR(num_low, 10000, 408);
  EXPECT_NEAR(num_multiples_of_three, 10000, 408);
}

TEST(UniformBelowDeathTest, RejectsAnEmptyRange) {
  auto rng = stream_engine(kSeed, {4});
  EXPECT_DEATH((void)uniform_below(0, rng), "count 0");
}

TEST(StandardNormal, HasTheMomentsAndTailOfTheNormal) {
  constexpr int kDraws = 100000;
  auto rng = stream_engine(kSeed, {5});
  double sum = 0.0;
  double sum_of_squares = 0.0;
  int num_above_one = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double z = standard_normal(rng);
    sum += z;
    sum_of_squares += z * z;
    num_above_one += z > 1.0;
  }
  // Deviation of the mean 1/sqrt(n) = 3.2e-3, of the mean square sqrt(2/n) = 4.5e-3; 5 of these.
  EXPECT_NEAR(sum / kDraws, 0.0, 1.6e-2);
  EXPECT_NEAR(sum_of_squares / kDraws, 1.0, 2.3e-2);
  // P(z > 1) = 0.158655; deviation sqrt(n p (1 - p)) = 116; 5 of these.
  EXPECT_NEAR(num_above_one, 15866, 578);
}

std::vector<int> draw_counts(const std::vector<double>& weights, int num_draws) {
  const Categorical categorical{weights};
  std::vector<int> count(weights.size());
  auto rng = stream_engine(kSeed, {6, weights.size()});
  for (int i = 0; i < num_draws; ++i) ++count.at(categorical.draw(rng));
  return count;
}

TEST(Categorical, DrawsInProportionToTheWeights) {
  constexpr int kDraws = 100000;
  const std::vector<double> weights = {1, 2, 3, 4};  // shares 0.1, 0.2, 0.3, 0.4
  const auto count = draw_counts(weights, kDraws);
  // The largest deviation is that of 0.4: sqrt(100000 * 0.4 * 0.6) = 155; 5 of these.
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(count[i], weights[i] * 10000, 775) << i;
}

TEST(Categorical, NeverDrawsAZeroWeight) {
  const auto count = draw_counts({0, 0.3, 0, 1e-9, 0.7, 0}, 100000);
  EXPECT_EQ(count[0], 0);
  EXPECT_EQ(count[2], 0);
  EXPECT_EQ(count[5], 0);
}

TEST(Categorical, OneWeightIsCertain) { EXPECT_EQ(draw_counts({0.2}, 10).front(), 10); }

TEST(Categorical, SumsManyUnequalWeights) {
  // Weight (i + 1)^-1 for 2048 experts: index 0 has the share 1 / H(2048), and
  // H(n) = ln n + 0.57722 + 1/(2n) = 7.62462 + 0.57722 + 0.00024 = 8.2021, so 0.12192.
  constexpr int kDraws = 100000;
  std::vector<double> weights(2048);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1.0 / static_cast<double>(i + 1);
  // Deviation sqrt(100000 * 0.12192 * 0.87808) = 103; 5 of these.
  EXPECT_NEAR(draw_counts(weights, kDraws).front(), 12192, 517);
}

TEST(CategoricalDeathTest, RejectsWeightsWithoutADistribution) {
  EXPECT_DEATH(Categorical{std::vector<double>{}}, "0 weights sum to 0");
  EXPECT_DEATH((Categorical{std::vector<double>{0, 0}}), "2 weights sum to 0");
  EXPECT_DEATH((Categorical{std::vector<double>{1, -1}}), "weight -1");
}

}  // namespace
}  // namespace switchyard
