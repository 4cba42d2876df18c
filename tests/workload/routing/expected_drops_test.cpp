#include "sim/workload/routing/expected_drops.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

/// sum over x > C of (x - C) P(Bin(n, p) = x), term by term.
double summed_overflow(std::int64_t trials, double probability, std::int64_t capacity) {
  const auto n = static_cast<double>(trials);
  double overflow = 0.0;
  for (std::int64_t load = capacity + 1; load <= trials; ++load) {
    const auto x = static_cast<double>(load);
    overflow += (x - static_cast<double>(capacity)) *
                std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) +
                         x * std::log(probability) + (n - x) * std::log1p(-probability));
  }
  return overflow;
}

TEST(ExpectedOverflow, EqualsTheSumOfItsTerms) {
  for (const std::int64_t trials : {1, 2, 10, 1024, 8192})
    for (const double probability : {1.0 / 2048, 1.0 / 128, 0.1, 0.5, 0.9})
      for (const double factor : {0.0, 0.5, 1.0, 1.25, 2.0}) {
        const auto capacity =
            static_cast<std::int64_t>(factor * static_cast<double>(trials) * probability);
        const double expected = summed_overflow(trials, probability, capacity);
        // lgamma of 8192 is 65,000, right to 1e-16: the terms are to 1e-11.
        EXPECT_NEAR(expected_overflow(trials, probability, capacity), expected,
                    1e-10 * expected + 1e-14)
            << trials << ' ' << probability << ' ' << capacity;
      }
}

TEST(ExpectedOverflow, HasItsLimits) {
  EXPECT_DOUBLE_EQ(expected_overflow(100, 0.3, 0), 30.0);  // no slots: the mean
  EXPECT_EQ(expected_overflow(100, 0.3, 100), 0.0);
  EXPECT_EQ(expected_overflow(100, 0.3, 1'000'000), 0.0);
  EXPECT_EQ(expected_overflow(0, 0.3, 0), 0.0);
  EXPECT_EQ(expected_overflow(100, 0.0, 0), 0.0);
  EXPECT_EQ(expected_overflow(100, 1.0, 60), 40.0);
  EXPECT_EQ(expected_overflow(100, 1.0, 0), 100.0);
}

TEST(ExpectedOverflow, IsExactWithOneSlotTooFew) {
  // Only X = n overflows, by 1: p^n.
  EXPECT_NEAR(expected_overflow(20, 0.5, 19), 0x1p-20, 1e-18);
  EXPECT_NEAR(expected_overflow(5, 0.9, 4), 0.59049, 1e-14);
}

TEST(ExpectedOverflowDeathTest, RejectsAProbabilityAboveOne) {
  EXPECT_DEATH((void)expected_overflow(10, 1.5, 2), "probability 1.5");
}

TEST(ExpectedDroppedFraction, MatchesCountingAllOutcomes) {
  // 2 tokens, 2 experts, 1 slot: with probability 1/2 both choose the same and one is dropped.
  EXPECT_NEAR(expected_dropped_fraction(2, 2, 1, 1), 0.25, 1e-12);
  // 3 tokens, 2 experts, 1 slot: all alike (1/4) drops 2, otherwise 1: 1.25 of 3.
  EXPECT_NEAR(expected_dropped_fraction(3, 2, 1, 1), 1.25 / 3.0, 1e-12);
  // 3 tokens, 3 experts, 2 slots: all alike (1/9) drops 1.
  EXPECT_NEAR(expected_dropped_fraction(3, 3, 1, 2), 1.0 / 27.0, 1e-12);
}

TEST(ExpectedDroppedFraction, HasItsLimits) {
  EXPECT_NEAR(expected_dropped_fraction(100, 7, 1, 0), 1.0, 1e-12);  // no slots
  EXPECT_EQ(expected_dropped_fraction(100, 7, 1, 100), 0.0);         // a slot for everyone
  EXPECT_EQ(expected_dropped_fraction(8, 1, 1, 6), 0.25);            // one expert: 2 of 8
  EXPECT_EQ(expected_dropped_fraction(8, 4, 4, 6), 0.25);            // all experts: 2 of 8 each
}

TEST(ExpectedDroppedFraction, FallsWithCapacity) {
  double previous = 1.0;
  for (std::int64_t capacity = 1; capacity <= 24; ++capacity) {
    const double fraction = expected_dropped_fraction(1024, 128, 1, capacity);
    EXPECT_LT(fraction, previous) << capacity;
    previous = fraction;
  }
}

TEST(ExpectedDroppedFraction, TakesAnyPopularity) {
  // 2 tokens, 1 slot, shares 3/4 and 1/4: both at expert 0 (9/16) or at expert 1 (1/16) drops one.
  const std::vector<double> shares{0.75, 0.25};
  EXPECT_NEAR(expected_dropped_fraction(2, shares, 1, 1), 0.3125, 1e-14);
  // Top-2 of 2: both experts get both tokens, half is dropped.
  EXPECT_NEAR(expected_dropped_fraction(2, shares, 2, 1), 0.5, 1e-14);
}

TEST(ExpectedDroppedFraction, OfEqualSharesIsThatOfTheUniformRouter) {
  const std::vector<double> shares(64, 1.0 / 64);
  for (const int top_k : {1, 2, 8})
    EXPECT_NEAR(expected_dropped_fraction(1024, shares, top_k, 20 * top_k),
                expected_dropped_fraction(1024, 64, top_k, 20 * top_k), 1e-13)
        << top_k;
}

}  // namespace
}  // namespace switchyard
