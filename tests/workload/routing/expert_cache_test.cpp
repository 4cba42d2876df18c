#include "sim/workload/routing/expert_cache.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

using ::testing::ElementsAre;

constexpr std::int32_t kNone = kNoExpert;

TokenChoices layer(int num_choices, std::vector<std::int32_t> experts) {
  return {.num_choices = num_choices, .experts = std::move(experts), .gates = {}};
}

TokenChoices uniform_layer(std::size_t num_tokens, int num_experts, std::uint64_t seed) {
  auto rng = stream_engine(seed, {});
  TokenChoices choices = layer(1, {});
  for (std::size_t token = 0; token < num_tokens; ++token)
    choices.experts.push_back(
        static_cast<std::int32_t>(uniform_below(static_cast<std::uint64_t>(num_experts), rng)));
  return choices;
}

TEST(ExpertCacheLru, EvictsTheLeastRecentlyUsed) {
  // Cache of 2. 0 miss, 1 miss, 0 hit, 2 evicts 1, 1 evicts 0, 0 evicts 2: one hit of six.
  const std::vector<TokenChoices> layers{layer(1, {0, 1, 0, 2, 1, 0})};
  const CacheStatistics statistics = expert_cache(layers, 3, {.experts_per_layer = 2});
  EXPECT_THAT(statistics.hit_rate, ElementsAre(1.0 / 6.0));
  EXPECT_EQ(statistics.mean_hit_rate, 1.0 / 6.0);
}

TEST(ExpertCacheLru, KeepsWhatTheSameTokenNeeds) {
  // Cache of 2 with 0 and 1. Token 1 loads 2, for which 1 leaves: 0 is older, but needed as well.
  const std::vector<TokenChoices> layers{layer(2, {0, 1, 2, 0})};
  EXPECT_EQ(expert_cache(layers, 3, {.experts_per_layer = 2}).mean_hit_rate, 0.25);
}

TEST(ExpertCacheLru, CountsTheLeastPreferredAsTheLastUsed) {
  // Cache of 3: 0 1 | 2 3 (0 leaves) | 1 hits | 0 (2 leaves, older than 3 and 1) | 3 hits.
  const std::vector<TokenChoices> layers{layer(2, {0, 1, 2, 3, 1, kNone, 0, kNone, 3, kNone})};
  EXPECT_EQ(expert_cache(layers, 4, {.experts_per_layer = 3}).mean_hit_rate, 2.0 / 7.0);
}

TEST(ExpertCacheLru, LooksUpOnlyWhatTheGateChose) {
  // Token 1 makes one choice: 3 lookups, one hit.
  const std::vector<TokenChoices> layers{layer(2, {0, 1, 1, kNone})};
  EXPECT_EQ(expert_cache(layers, 2, {.experts_per_layer = 2}).mean_hit_rate, 1.0 / 3.0);
}

TEST(ExpertCacheLru, GivesEveryLayerItsOwnCache) {
  // One expert each: layer 0 always uses the same (3 hits of 4), layer 1 alternates (none).
  const std::vector<TokenChoices> layers{layer(1, {5, 5, 5, 5}), layer(1, {5, 6, 5, 6})};
  const CacheStatistics statistics = expert_cache(layers, 8, {.experts_per_layer = 1});
  EXPECT_THAT(statistics.hit_rate, ElementsAre(0.75, 0.0));
  EXPECT_EQ(statistics.mean_hit_rate, 3.0 / 8.0);
}

TEST(ExpertCacheLru, HitsAsOftenAsItsShareOfExpertsWhenChoicesAreIndependent) {
  // Which n of E experts are there depends on the past alone, so each lookup hits with probability
  // n / E, independently: standard error sqrt(q (1 - q) / T). Filling it costs less than E / T.
  constexpr std::size_t kTokens = 20'000;
  constexpr int kExperts = 16;
  const std::vector<TokenChoices> layers{uniform_layer(kTokens, kExperts, 1)};
  for (const int cached : {1, 4, 12}) {
    const double share = static_cast<double>(cached) / kExperts;
    EXPECT_NEAR(expert_cache(layers, kExperts, {.experts_per_layer = cached}).mean_hit_rate, share,
                3.0 * std::sqrt(share * (1.0 - share) / kTokens) + 16.0 / kTokens)
        << cached;
  }
}

TEST(ExpertCacheLru, HitsAllButTheFirstUsesWithRoomForAll) {
  const std::vector<TokenChoices> layers{layer(2, {0, 1, 1, 2, 2, 0, 3, 1})};
  EXPECT_EQ(expert_cache(layers, 4, {.experts_per_layer = 4}).mean_hit_rate, 0.5);
}

TEST(ExpertCacheLru, HoldsTheLeastPreferredWhenSmallerThanATokensChoices) {
  // Of 0 and 1 only 1 stays, so token 1 hits with 1 and not with 0.
  const std::vector<TokenChoices> layers{layer(2, {0, 1, 0, 1})};
  EXPECT_EQ(expert_cache(layers, 2, {.experts_per_layer = 1}).mean_hit_rate, 0.25);
}

TEST(ExpertCacheLeastStale, EvictsTheStaleOfTheFurthestLayerToComeForOneOfTheFirst) {
  // 3 places for 3 layers. Token 0 fills them: 0, 0', 0''. Token 1 needs 0 and 1 in layer 0: 0 is
  // there; for 1, 0'' of the last layer leaves and not 0', needed next. So layer 1 hits and layer
  // 2 does not: for 0'' the least recently used one of layer 0 leaves, as nothing is stale.
  const std::vector<TokenChoices> layers{layer(2, {0, kNone, 0, 1}), layer(1, {0, 0}),
                                         layer(1, {0, 0})};
  const ExpertCacheSpec cache{.policy = CachePolicy::kLeastStale, .experts_per_layer = 1};
  EXPECT_THAT(expert_cache(layers, 2, cache).hit_rate, ElementsAre(1.0 / 3.0, 0.5, 0.0));
}

TEST(ExpertCacheLeastStale, EvictsTheStaleOfLayersThePassIsThroughWithFirst) {
  // 3 places. Token 0 fills them with 0, 0', 0''. Token 1 makes no choice in layer 0, hits 0' and
  // loads 1'' in layer 2. Stale are 0 and 0'': 0 leaves, as the pass is longer through with it.
  // Token 2 loads 0 again. Stale are 0', 0'' and 1'', of layers to come: from the highest layer
  // the least recently used leaves, 0''. So 0' and 1'' hit.
  const std::vector<TokenChoices> layers{layer(1, {0, kNone, 0}), layer(1, {0, 0, 0}),
                                         layer(1, {0, 1, 1})};
  const ExpertCacheSpec cache{.policy = CachePolicy::kLeastStale, .experts_per_layer = 1};
  EXPECT_THAT(expert_cache(layers, 2, cache).hit_rate, ElementsAre(0.0, 2.0 / 3.0, 1.0 / 3.0));
}

TEST(ExpertCacheLeastStale, SharesItsPlacesAmongLayers) {
  // Layer 0 needs one expert, layer 1 three in turn. With 2 places a layer, LRU wastes one place
  // and never hits in layer 1; one cache of 4 holds all.
  const std::vector<TokenChoices> layers{layer(1, {0, 0, 0, 0, 0, 0}),
                                         layer(1, {0, 1, 2, 0, 1, 2})};
  EXPECT_THAT(expert_cache(layers, 3, {.experts_per_layer = 2}).hit_rate,
              ElementsAre(5.0 / 6.0, 0.0));
  EXPECT_THAT(expert_cache(layers, 3, {.policy = CachePolicy::kLeastStale, .experts_per_layer = 2})
                  .hit_rate,
              ElementsAre(5.0 / 6.0, 0.5));
}

TEST(ExpertCacheLeastStale, IsLruForOneLayer) {
  const std::vector<TokenChoices> layers{uniform_layer(500, 8, 2)};
  EXPECT_EQ(expert_cache(layers, 8, {.policy = CachePolicy::kLeastStale, .experts_per_layer = 3})
                .mean_hit_rate,
            expert_cache(layers, 8, {.experts_per_layer = 3}).mean_hit_rate);
}

TEST(ExpertCacheDeathTest, RejectsAnExpertThatTheModelDoesNotHave) {
  const std::vector<TokenChoices> layers{layer(1, {3})};
  EXPECT_DEATH((void)expert_cache(layers, 3, {}), "expert 3 of 3");
}

TEST(ExpertCache, LooksUpTheChoicesOfADraw) {
  // Top-2 of 8 at random, attempts to reroute are no choices. With all cached only the first uses
  // miss: 8 of 600 in each layer.
  RoutingSpec spec{.router = FixedRouter{}, .gate = {.top_k = 2}, .slots = {}};
  spec.slots.reroute_attempts = 3;
  const CacheStatistics all = expert_cache(spec, 8, 2, 300, {.seed = 1}, {.experts_per_layer = 8});
  EXPECT_THAT(all.hit_rate, ElementsAre(592.0 / 600.0, 592.0 / 600.0));
  // Cached are the two of the token before and two older ones, whatever comes next: 4 of 8 hit. The
  // two lookups of a token exclude each other, so the variance is below q (1 - q) / lookups.
  const CacheStatistics half = expert_cache(spec, 8, 2, 300, {.seed = 1}, {.experts_per_layer = 4});
  EXPECT_NEAR(half.mean_hit_rate, 0.5, 3.0 * std::sqrt(0.25 / 1200.0) + 8.0 / 1200.0);
}

}  // namespace
}  // namespace switchyard
