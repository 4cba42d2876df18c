#include "sim/planner/expert_chain.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "sim/workload/routing/decoded_sequence.hpp"
#include "sim/workload/routing/expert_cache.hpp"
#include "sim/workload/routing/lognormal_shares.hpp"

namespace switchyard {
namespace {

std::vector<double> even(std::size_t num_experts) {
  return std::vector<double>(num_experts, 1.0 / static_cast<double>(num_experts));
}

// The random row of Mixtral's table: 1/8, and 1 - 6/8 * 5/7 = 26/56.
TEST(ChoiceRepeats, OfIndependentEvenChoicesAreThoseOfChance) {
  const ChoiceRepeats repeats = choice_repeats({.shares = even(8)});
  EXPECT_NEAR(repeats.first, 0.125, 1e-12);
  EXPECT_NEAR(repeats.first_or_second, 26.0 / 56.0, 1e-12);
}

// Independent first choices repeat with probability sum of p^2 = 0.25 + 0.09 + 0.04 = 0.38; two
// sets of two of three experts always meet.
TEST(ChoiceRepeats, OfIndependentUnevenChoicesFollowTheShares) {
  const ChoiceRepeats repeats = choice_repeats({.shares = {0.5, 0.3, 0.2}});
  EXPECT_NEAR(repeats.first, 0.38, 1e-12);
  EXPECT_NEAR(repeats.first_or_second, 1.0, 1e-12);
}

// Eight even experts with weights 1, but 1 + a = 2.2 and 1 + b = 0.6 for the last two choices:
// their sum is always W = 8 + 1.2 - 0.4 = 8.8. The first repeats with 2.2 / W = 1/4. None repeats
// with 6/W * 5/(W - 1) = 30 / 68.64.
TEST(ChoiceRepeats, OfEvenExpertsFollowFromTheTilts) {
  const ChoiceRepeats repeats =
      choice_repeats({.shares = even(8), .first_tilt = 1.2, .second_tilt = -0.4});
  EXPECT_NEAR(repeats.first, 0.25, 1e-12);
  EXPECT_NEAR(repeats.first_or_second, 1.0 - 30.0 / 68.64, 1e-12);
}

// Shares p = (1/2, 1/4, 1/4), first_tilt 1. The first choices alone are a chain: from e the weight
// of e is 2 p_e, the sum 1 + p_e. Detailed balance holds for pi_e ~ p_e (1 + p_e): 3/4, 5/16, 5/16,
// that is 12/22, 5/22, 5/22. Repeats: 12/22 * 1/1.5 + 2 * 5/22 * 0.5/1.25 = 8/22 + 4/22.
TEST(ChoiceRepeats, OfUnevenExpertsFollowTheLongRunShares) {
  const ChoiceRepeats repeats = choice_repeats({.shares = {0.5, 0.25, 0.25}, .first_tilt = 1.0});
  EXPECT_NEAR(repeats.first, 12.0 / 22.0, 1e-12);
}

// Of four experts that avoid both choices of the token before, the other two are left.
TEST(ChoiceRepeats, AreNoneWhereBothChoicesAreAvoided) {
  const ExpertChain chain{.shares = even(4), .first_tilt = -1.0, .second_tilt = -1.0};
  EXPECT_NEAR(choice_repeats(chain).first_or_second, 0.0, 1e-12);
  EXPECT_NEAR(lru_hit_rate(chain, 2), 0.0, 1e-12);
  EXPECT_NEAR(lru_hit_rate(chain, 4), 1.0, 1e-12);
}

// Each of two independent even choices is one of n cached ones of E with probability n / E.
TEST(LruHitRate, OfIndependentEvenChoicesIsTheCachedShare) {
  for (const int cached : {2, 3, 4})
    EXPECT_NEAR(lru_hit_rate({.shares = even(8)}, cached), cached / 8.0, 1e-12) << cached;
}

// The chain of OfEvenExpertsFollowFromTheTilts, two cached: the weights of the last two choices are
// 2.2 and 0.6 of W = 8.8. The first hits with 2.8 / 8.8. The second hits with 2.2/8.8 * 0.6/6.6
// after the first choice, 0.6/8.8 * 2.2/8.2 after the second, and 6/8.8 * 2.8/7.8 after another.
TEST(LruHitRate, OfTwoCachedFollowsFromTheTilts) {
  const double first = 2.8 / 8.8;
  const double second = 2.2 / 8.8 * 0.6 / 6.6 + 0.6 / 8.8 * 2.2 / 8.2 + 6.0 / 8.8 * 2.8 / 7.8;
  EXPECT_NEAR(lru_hit_rate({.shares = even(8), .first_tilt = 1.2, .second_tilt = -0.4}, 2),
              (first + second) / 2.0, 1e-12);
}

class SampledChain : public testing::TestWithParam<ExpertChain> {};

// The sampler of tokens (TemporalRouter) and the simulated cache know nothing of the exact chain.
// 400,000 indicators of standard deviation at most 1/2 have a mean of standard error 0.0008; what
// repeats depends on the pairs before, which are forgotten within a few tokens: 0.0016 allows for
// four times the variance, and 0.0064 is four of these.
TEST_P(SampledChain, AgreesWithTheExactOne) {
  constexpr std::int64_t kTokens = 400'000;
  constexpr double kBound = 0.0064;
  const ExpertChain& chain = GetParam();
  const RoutingSpec spec{
      .router = TemporalRouter{.layers = {{.layer = 0,
                                           .popularity = GivenPopularity{.weights = chain.shares},
                                           .first_tilt = chain.first_tilt,
                                           .second_tilt = chain.second_tilt}}},
      .gate = {.top_k = 2},
      .slots = {}};
  const RoutingStream stream{.seed = 3};
  const auto layers = decoded_sequence(spec, 8, 1, kTokens, stream);
  const std::vector<std::int32_t>& experts = layers.front().experts;
  double first = 0;
  double first_or_second = 0;
  for (std::size_t i = 2; i + 1 < experts.size(); i += 2) {
    const auto is_before = [&](std::int32_t e) {
      return e == experts[i - 2] || e == experts[i - 1];
    };
    first += experts[i] == experts[i - 2] ? 1 : 0;
    first_or_second += is_before(experts[i]) || is_before(experts[i + 1]) ? 1 : 0;
  }
  const ChoiceRepeats exact = choice_repeats(chain);
  EXPECT_NEAR(first / kTokens, exact.first, kBound);
  EXPECT_NEAR(first_or_second / kTokens, exact.first_or_second, kBound);
  for (const int cached : {2, 4}) {
    const CacheStatistics cache = expert_cache(layers, 8, {.experts_per_layer = cached});
    EXPECT_NEAR(cache.mean_hit_rate, lru_hit_rate(chain, cached), kBound) << cached;
  }
}

INSTANTIATE_TEST_SUITE_P(Tilts, SampledChain,
                         testing::Values(ExpertChain{.shares = lognormal_quantile_shares(0.25, 8)},
                                         ExpertChain{.shares = lognormal_quantile_shares(0.25, 8),
                                                     .first_tilt = 1.4},
                                         ExpertChain{.shares = lognormal_quantile_shares(0.25, 8),
                                                     .first_tilt = 0.5,
                                                     .second_tilt = -0.7},
                                         ExpertChain{.shares = lognormal_quantile_shares(1.0, 8),
                                                     .first_tilt = 4.0,
                                                     .second_tilt = 1.0}));

}  // namespace
}  // namespace switchyard
