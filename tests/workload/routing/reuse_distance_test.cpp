#include "sim/workload/routing/reuse_distance.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

using ::testing::ElementsAre;

TokenChoices layer(int num_choices, std::vector<std::int32_t> experts) {
  return {.num_choices = num_choices, .experts = std::move(experts), .gates = {}};
}

TEST(ReuseDistances, CountTokensSinceTheLastUse) {
  // 0 1 0 0 2 1: expert 0 after 2 and after 1 tokens, expert 1 after 4.
  const TokenChoices choices = layer(1, {0, 1, 0, 0, 2, 1});
  EXPECT_THAT(reuse_distances(choices, 3, 5), ElementsAre(1, 1, 0, 1, 0));
  EXPECT_THAT(reuse_distances(choices, 3, 3), ElementsAre(1, 1, 1));  // the last: 3 and more
  EXPECT_THAT(reuse_distances(choices, 3, 1), ElementsAre(3));
}

TEST(ReuseDistances, TakeAllChoicesOfAToken) {
  // Expert 1 is the second choice of token 0 and the first of token 1; token 2 makes one choice.
  EXPECT_THAT(reuse_distances(layer(2, {0, 1, 1, 2, 0, kNoExpert}), 3, 3), ElementsAre(1, 1, 0));
}

TEST(ReuseDistances, AreGeometricWhenChoicesAreIndependent) {
  // P(distance d) = (1 - 1/E)^(d - 1) / E; T tokens with a binomial standard error each.
  constexpr std::size_t kTokens = 20'000;
  auto rng = stream_engine(3, {});
  TokenChoices choices = layer(1, {});
  for (std::size_t token = 0; token < kTokens; ++token)
    choices.experts.push_back(static_cast<std::int32_t>(uniform_below(4, rng)));
  const std::vector<std::int64_t> counts = reuse_distances(choices, 4, 6);
  for (std::size_t d = 1; d <= 5; ++d) {
    const double share = std::pow(0.75, static_cast<double>(d - 1)) * 0.25;
    EXPECT_NEAR(static_cast<double>(counts[d - 1]) / kTokens, share,
                3.0 * std::sqrt(share * (1.0 - share) / kTokens))
        << d;
  }
}

TEST(ReuseDistances, TakeALayerOfADraw) {
  // One expert, 300 tokens: 299 reuses, each by the next token.
  const RoutingSpec spec{.router = FixedRouter{}, .gate = {.top_k = 1}, .slots = {}};
  EXPECT_THAT(reuse_distances(spec, 1, 3, 2, 300, {}, 2), ElementsAre(299, 0));
}

TEST(ReuseDistancesDeathTest, RejectsALayerThatIsNotThere) {
  const RoutingSpec spec{.router = FixedRouter{}, .gate = {.top_k = 1}, .slots = {}};
  EXPECT_DEATH((void)reuse_distances(spec, 4, 2, 2, 10, {}, 2), "layer 2 of 2");
}

}  // namespace
}  // namespace switchyard
