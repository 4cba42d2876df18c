#include "sim/planner/fit_sampled_loads.hpp"

#include <gtest/gtest.h>

#include "sim/core/random.hpp"
#include "sim/workload/routing/popularity.hpp"

namespace switchyard {
namespace {

TEST(MeanSquareLoad, HasNoChanceOfTheCountsInIt) {
  // 3 and 1 of 4 tokens: (3 * 2 + 1 * 0) / (4 * 3).
  EXPECT_DOUBLE_EQ(mean_square_load({.num_tokens = 4, .steps = {{3, 1}}}), 0.5);
  // Two tokens, two equal experts: (2, 0), (1, 1), (1, 1), (0, 2) are equally probable, and their
  // mean is 2 * (1/2)^2.
  EXPECT_DOUBLE_EQ(mean_square_load({.num_tokens = 2, .steps = {{2, 0}, {1, 1}, {1, 1}, {0, 2}}}),
                   0.5);
}

TEST(MeanNeighbourProduct, MultipliesSharesOfStepsSideBySide) {
  // (3 * 2 + 1 * 2) / 4^2 and (2 * 0 + 2 * 4) / 4^2.
  EXPECT_DOUBLE_EQ(mean_neighbour_product({.num_tokens = 4, .steps = {{3, 1}, {2, 2}, {0, 4}}}),
                   0.5);
}

TEST(ExpectedSquareLoad, IsThatOfEqualLoadsWithoutSigma) {
  EXPECT_NEAR(expected_square_load(0.0, 8, 1), 1.0 / 8, 1e-12);
  EXPECT_NEAR(expected_square_load(0.0, 8, 2), 4.0 / 8, 1e-12);
  EXPECT_GT(expected_square_load(0.3, 8, 1), expected_square_load(0.2, 8, 1));
}

TEST(FitSigmaToLoads, FindsTheSigmaThatLoadsWereDrawnFrom) {
  SampledLoads loads{.num_tokens = 512, .steps = {}};
  auto rng = stream_engine(3, {});
  for (int step = 0; step < 400; ++step) {
    const Categorical choice{draw_popularity(LognormalPopularity{0.3}, 8, rng)};
    std::vector<std::int64_t> counts(8);
    for (int token = 0; token < 512; ++token) ++counts[choice.draw(rng)];
    loads.steps.push_back(counts);
  }
  // The unevenness of one step is a sum of 7 free squares and varies by sqrt(2 / 7) of itself, and
  // more for the tails of the log-normal and the chance of 512 tokens; over 400 steps by some 4 %,
  // its root, sigma, by 2 %. Three of these.
  EXPECT_NEAR(fit_sigma_to_loads(loads), 0.3, 0.02);
}

TEST(FitSigmaToLoads, IsZeroWhereLoadsAreNoMoreUnevenThanChance) {
  // (2 * 1 + 2 * 1) / (4 * 3) = 1/3, below the 1/2 of two equal experts.
  EXPECT_EQ(fit_sigma_to_loads({.num_tokens = 4, .steps = {{2, 2}}}), 0.0);
}

TEST(NeighbourCorrelation, TellsWhatStaysFromWhatChanges) {
  // 0.52 - 0.5 in neighbours, (600 * 599 + 400 * 399) / (1000 * 999) - 0.5 = 0.0195 in a step.
  const SampledLoads stays{.num_tokens = 1000, .steps = {{600, 400}, {600, 400}}};
  EXPECT_EQ(neighbour_correlation(std::vector{stays}), 0.999);
  // 2 * 0.6 * 0.4 = 0.48, below 0.5.
  const SampledLoads turns{.num_tokens = 1000, .steps = {{600, 400}, {400, 600}}};
  EXPECT_EQ(neighbour_correlation(std::vector{turns}), 0.0);
  // Neighbours of both together: 0.02 - 0.02 of 2 * 0.0195.
  EXPECT_NEAR(neighbour_correlation(std::vector{stays, turns}), 0.0, 1e-12);
}

}  // namespace
}  // namespace switchyard
