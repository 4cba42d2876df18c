#include "sim/workload/routing/node_limit.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/workload/routing/drawn_tokens.hpp"

namespace switchyard {
namespace {

using testing::choice;
using testing::draw_tokens;
using testing::expect_frequency;
using testing::frequency;
using testing::gate;
using testing::given;
using testing::share_of_tokens;
using testing::top_k_of;

constexpr std::int64_t kTokens = 200'000;

RoutingSpec limited(RouterSpec router, int top_k, int expert_groups, int groups_per_token) {
  RoutingSpec spec = top_k_of(std::move(router), top_k);
  spec.gate.expert_groups = expert_groups;
  spec.gate.groups_per_token = groups_per_token;
  return spec;
}

TEST(GroupShares, SplitsSharesIntoMassAndWhatIsWithin) {
  const std::vector<double> shares{0.1, 0.3, 0.0, 0.0, 0.15, 0.45};
  const auto groups = group_shares(shares, 3);
  ASSERT_EQ(groups.within.size(), 3U);
  EXPECT_DOUBLE_EQ(groups.mass[0], 0.4);
  EXPECT_DOUBLE_EQ(groups.within[0].weight(1), 0.75);
  EXPECT_EQ(groups.mass[1], 0.0);
  EXPECT_EQ(groups.within[1].weight(0), 0.5);
  EXPECT_DOUBLE_EQ(groups.within[2].weight(0), 0.25);
}

TEST(NodeLimit, UsesNoMoreGroupsThanAllowed) {
  for (const int groups_per_token : {1, 2, 4}) {
    const auto choices = draw_tokens(
        limited(FixedRouter{LognormalPopularity{0.5}}, 8, 8, groups_per_token), 64, 2000);
    std::set<std::size_t> group_counts;
    for (std::size_t t = 0; t < 2000; ++t) {
      std::set<std::int32_t> groups;
      std::set<std::int32_t> experts;
      for (int place = 0; place < 8; ++place) {
        experts.insert(choice(choices, t, place));
        groups.insert(choice(choices, t, place) / 8);
      }
      EXPECT_EQ(experts.size(), 8U);
      EXPECT_LE(groups.size(), static_cast<std::size_t>(groups_per_token));
      group_counts.insert(groups.size());
    }
    EXPECT_TRUE(group_counts.contains(static_cast<std::size_t>(groups_per_token)));
  }
}

TEST(NodeLimit, OfAllGroupsIsNoLimit) {
  // Plackett-Luce over all four: P(i, then j) = p_i p_j / (1 - p_i), within groups and across.
  const std::vector<double> p{0.4, 0.1, 0.3, 0.2};
  const auto choices = draw_tokens(limited(given(p), 2, 2, 2), 4, kTokens);
  std::map<std::pair<int, int>, double> frequencies;
  for (std::size_t t = 0; t < choices.num_tokens(); ++t)
    frequencies[{choice(choices, t, 0), choice(choices, t, 1)}] += 1.0 / kTokens;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      expect_frequency(frequencies[std::pair{static_cast<int>(i), static_cast<int>(j)}],
                       i == j ? 0.0 : p[i] * p[j] / (1.0 - p[i]), kTokens);
}

TEST(NodeLimit, OfGroupsOfOneExpertKeepsTheBestExperts) {
  // A group's score is then that of its expert, so the two best groups hold the two best experts.
  const std::vector<double> p{0.4, 0.1, 0.3, 0.2};
  const auto choices = draw_tokens(limited(given(p), 2, 4, 2), 4, kTokens);
  for (std::int32_t e = 0; e < 4; ++e)
    expect_frequency(frequency(choices, 0, e), p[static_cast<std::size_t>(e)], kTokens);
  // P(0, then 2) = 0.4 * 0.3 / 0.6.
  expect_frequency(
      share_of_tokens(
          choices,
          [&](std::size_t t) { return choice(choices, t, 0) == 0 && choice(choices, t, 1) == 2; }),
      0.2, kTokens);
}

TEST(NodeLimit, PrefersGroupsByTheirTwoBest) {
  // Two groups of two; the first has one expert of share 1/2 and one that never comes, the second
  // two of share 1/4. First arrivals T and T' of both groups are exponential of rate 1/2; only the
  // second group gets a second arrival, of rate 1/4 after T'. The second wins where
  // 1 / (1 + T') + 1 / (1 + T' + D) > 1 / (1 + T). With the masses equal it would win half of the
  // time by the first arrival alone. Integrated numerically below.
  const auto choices = draw_tokens(limited(given({0.5, 0.0, 0.25, 0.25}), 2, 2, 1), 4, kTokens);
  double second_wins = 0.0;
  constexpr int kPoints = 400;
  for (int i = 0; i < kPoints; ++i)
    for (int j = 0; j < kPoints; ++j) {
      // Midpoints of equal probability of T' and D.
      const double t = -std::log((i + 0.5) / kPoints) / 0.5;
      const double d = -std::log((j + 0.5) / kPoints) / 0.25;
      const double score = 1.0 / (1.0 + t) + 1.0 / (1.0 + t + d);
      // P(1 / (1 + T) < score) = P(T > 1 / score - 1)
      second_wins += std::exp(-0.5 * std::max(0.0, 1.0 / score - 1.0)) / (kPoints * kPoints);
    }
  // The midpoint rule is off by about 1 / 400^2 times a curvature of order 1.
  EXPECT_NEAR(share_of_tokens(choices, [&](std::size_t t) { return choice(choices, t, 0) >= 2; }),
              second_wins, testing::five_errors(second_wins, kTokens) + 1e-4);
  EXPECT_GT(second_wins, 0.6);
}

TEST(NodeLimit, GivesGatesOfTheSameRace) {
  // Two experts in two groups, both used: gate_2 is uniform up to 1/2 as without groups.
  const auto choices = draw_tokens(limited(FixedRouter{}, 2, 2, 2), 2, kTokens, true);
  expect_frequency(
      share_of_tokens(choices, [&](std::size_t t) { return gate(choices, t, 1) > 0.2; }), 0.6,
      kTokens);
}

TEST(NodeLimit, TakesExpertsThatNobodyLikesLast) {
  const auto choices =
      draw_tokens(limited(given({0.0, 0.0, 1.0, 0.0, 0.0, 0.0}), 3, 3, 2), 6, 1000, true);
  for (std::size_t t = 0; t < 1000; ++t) {
    EXPECT_EQ(choice(choices, t, 0), 2);
    EXPECT_EQ(gate(choices, t, 0), 1.0);
  }
}

}  // namespace
}  // namespace switchyard
