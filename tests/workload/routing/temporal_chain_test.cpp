#include "sim/workload/routing/temporal_chain.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"
#include "tests/workload/routing/drawn_tokens.hpp"

namespace switchyard {
namespace {

using testing::choice;
using testing::draw_tokens;
using testing::expect_frequency;
using testing::frequency;
using testing::share_of_tokens;
using testing::top_k_of;

constexpr std::int64_t kTokens = 400'000;

TEST(MemoryOfLayer, IsLinearBetweenLayersAndConstantOutside) {
  const std::vector<LayerMemory> listed{
      {.layer = 2, .popularity = ZipfPopularity{1.0}, .first_tilt = 1.0, .second_tilt = -0.5},
      {.layer = 6, .popularity = ZipfPopularity{2.0}, .first_tilt = 3.0, .second_tilt = 0.5}};
  EXPECT_EQ(memory_of_layer(listed, 0).first_tilt, 1.0);
  EXPECT_EQ(memory_of_layer(listed, 2).second_tilt, -0.5);
  EXPECT_EQ(memory_of_layer(listed, 3).first_tilt, 1.5);  // a quarter of the way
  EXPECT_EQ(memory_of_layer(listed, 3).second_tilt, -0.25);
  EXPECT_EQ(memory_of_layer(listed, 6).first_tilt, 3.0);
  EXPECT_EQ(memory_of_layer(listed, 9).second_tilt, 0.5);
}

TEST(MemoryOfLayer, TakesThePopularityOfTheNearerLayer) {
  const std::vector<LayerMemory> listed{{.layer = 2, .popularity = ZipfPopularity{1.0}},
                                        {.layer = 6, .popularity = ZipfPopularity{2.0}}};
  const auto exponent = [&](int layer) {
    return std::get<ZipfPopularity>(memory_of_layer(listed, layer).popularity).exponent;
  };
  EXPECT_EQ(exponent(3), 1.0);
  EXPECT_EQ(exponent(4), 1.0);  // as near to both: the lower
  EXPECT_EQ(exponent(5), 2.0);
}

TEST(TiltedShares, WeighsTwoExpertsAnew) {
  // Shares 0.5, 0.3, 0.2; first (expert 1) twice as likely, second (expert 2) half.
  const ExpertShares base{{0.5, 0.3, 0.2}};
  const TiltedShares tilted{base, {.first_tilt = 1.0, .second_tilt = -0.5}, {1, 2}};
  EXPECT_DOUBLE_EQ(tilted.weight(0), 0.5);
  EXPECT_DOUBLE_EQ(tilted.weight(1), 0.6);
  EXPECT_DOUBLE_EQ(tilted.weight(2), 0.1);
  EXPECT_DOUBLE_EQ(tilted.total(), 1.2);
  EXPECT_DOUBLE_EQ(tilted.rest(std::array<std::int32_t, 1>{1}), 0.6);
  EXPECT_DOUBLE_EQ(tilted.rest(std::array<std::int32_t, 2>{1, 0}), 0.1);
}

TEST(TiltedShares, DrawsByWeight) {
  const ExpertShares base{{0.5, 0.3, 0.2}};
  auto rng = stream_engine(2, {});
  for (const auto& [first_tilt, second_tilt] :
       {std::pair{1.0, -0.5}, {-1.0, 2.0}, {0.7, 3.0}, {-0.2, -0.9}, {1e6, 0.0}})
    for (const std::vector<std::int32_t>& taken : {std::vector<std::int32_t>{}, {0}, {1}}) {
      const TiltedShares tilted{
          base, {.first_tilt = first_tilt, .second_tilt = second_tilt}, {1, 2}};
      std::array<double, 3> counts{};
      for (int i = 0; i < 100'000; ++i)
        counts[static_cast<std::size_t>(tilted.draw_other(taken, rng))] += 1e-5;
      for (std::int32_t e = 0; e < 3; ++e)
        expect_frequency(counts[static_cast<std::size_t>(e)],
                         contains(taken, e) ? 0.0 : tilted.weight(e) / tilted.rest(taken), 100'000);
    }
}

TEST(TiltedShares, IsFastWhereWhatIsAvoidedHasNearlyAll) {
  // Rejection alone would need 1e15 draws. The others share 1 : 3, the second of them tilted to 6.
  const ExpertShares base{{1.0 - 4e-15, 1e-15, 3e-15}};
  const TiltedShares tilted{base, {.first_tilt = -1.0, .second_tilt = 1.0}, {0, 2}};
  auto rng = stream_engine(2, {});
  double share_of_last = 0.0;
  for (int i = 0; i < 100'000; ++i) {
    const std::int32_t expert = tilted.draw_other({}, rng);
    ASSERT_NE(expert, 0);
    share_of_last += expert == 2 ? 1e-5 : 0.0;
  }
  expect_frequency(share_of_last, 6.0 / 7.0, 100'000);
}

TemporalRouter chain(std::vector<double> weights, double first_tilt, double second_tilt = 0.0) {
  return {{{.layer = 0,
            .popularity = GivenPopularity{.weights = std::move(weights)},
            .first_tilt = first_tilt,
            .second_tilt = second_tilt}}};
}

/// Share of the tokens but the first whose first choice is that of the token before.
double repeats(const TokenChoices& choices) {
  const auto tokens = static_cast<double>(choices.num_tokens());
  return share_of_tokens(choices,
                         [&](std::size_t t) {
                           return t > 0 && choice(choices, t, 0) == choice(choices, t - 1, 0);
                         }) *
         tokens / (tokens - 1);
}

TEST(TemporalRouter, WithoutTiltsIsIndependent) {
  const auto choices = draw_tokens(top_k_of(chain({0.5, 0.3, 0.2}, 0.0), 2), 3, kTokens);
  // 0.25 + 0.09 + 0.04. Repeats of neighbours are correlated a little: cov = sum p^3 - (sum p^2)^2
  // = 0.160 - 0.144 = 0.016 on either side of a variance of 0.236, which the 5 errors hold.
  expect_frequency(repeats(choices), 0.38, kTokens);
  expect_frequency(frequency(choices, 0, 1), 0.3, kTokens);
}

TEST(TemporalRouter, RepeatsAsTheStationaryChainOfFirstChoicesSays) {
  // p = (0.5, 0.3, 0.2), tilt 1: pi ~ p (1 + p) = 0.75, 0.39, 0.24, sum 1.38, by detailed balance.
  // From a the chance to stay is 2 p / (1 + p) = 2/3, 6/13, 1/3:
  // (0.75 * 2/3 + 0.39 * 6/13 + 0.24 / 3) / 1.38 = (0.50 + 0.18 + 0.08) / 1.38.
  const auto choices = draw_tokens(top_k_of(chain({0.5, 0.3, 0.2}, 1.0), 1), 3, kTokens);
  // Neighbours are correlated by less than 1/3 at distance 1, 1/9 at 2, ...: the variance of a mean
  // is at most 1 + 2 (1/3 + 1/9 + ...) = 2 times that of independent ones.
  const double sqrt2 = std::sqrt(2.0);
  EXPECT_NEAR(repeats(choices), 0.76 / 1.38, sqrt2 * testing::five_errors(0.55, kTokens));
  EXPECT_NEAR(frequency(choices, 0, 0), 0.75 / 1.38, sqrt2 * testing::five_errors(0.54, kTokens));
}

TEST(TemporalRouter, RemembersTheSecondChoiceToo) {
  // Two experts, both chosen by all, so the order is the state. p = (0.6, 0.4), tilts 0.5 and 2.
  // From (0, 1): weights 0.6 * 1.5 = 0.9 and 0.4 * 3 = 1.2, so it stays with 9/21.
  // From (1, 0): weights 0.6 * 3 = 1.8 and 0.4 * 1.5 = 0.6, so it stays with 6/24.
  // It leaves with 12/21 = 4/7 and 3/4, so pi = (3/4, 4/7) / (3/4 + 4/7) = (21, 16) / 37.
  // Repeats: 21/37 * 3/7 + 16/37 / 4 = (9 + 4) / 37.
  const auto choices = draw_tokens(top_k_of(chain({0.6, 0.4}, 0.5, 2.0), 2), 2, kTokens);
  // The second eigenvalue 3/7 + 1/4 - 1 is negative: the spread is less than of independent ones.
  expect_frequency(frequency(choices, 0, 0), 21.0 / 37.0, kTokens);
  expect_frequency(repeats(choices), 13.0 / 37.0, kTokens);
}

TEST(TemporalRouter, ForgetsTheSecondChoiceWhereThereIsOne) {
  const auto with = draw_tokens(top_k_of(chain({0.5, 0.3, 0.2}, 1.0, 5.0), 1), 3, 1000);
  const auto without = draw_tokens(top_k_of(chain({0.5, 0.3, 0.2}, 1.0, 0.0), 1), 3, 1000);
  EXPECT_EQ(with.experts, without.experts);
}

TEST(TemporalRouter, WithATiltOfMinusOneNeverRepeats) {
  EXPECT_EQ(repeats(draw_tokens(top_k_of(chain({0.5, 0.3, 0.2}, -1.0), 1), 3, 10'000)), 0.0);
  // Nor where popularity is against it, nor where the other expert has no popularity at all.
  EXPECT_EQ(repeats(draw_tokens(top_k_of(chain({1.0, 1e-9}, -1.0), 2), 2, 10'000)), 0.0);
  EXPECT_EQ(repeats(draw_tokens(top_k_of(chain({1.0, 0.0}, -1.0), 1), 2, 10'000)), 0.0);
}

TEST(TemporalRouter, GoesOnFromBlockToBlock) {
  const RoutingSpec spec = top_k_of(chain({0.5, 0.5}, -1.0), 1);
  const Router router{spec, {.num_experts = 2, .tokens_per_rank = 100}, {}};
  RankTokens tokens{router, 0, false};
  TokenChoices block;
  std::int32_t last = kNoExpert;
  for (int i = 0; i < 100; ++i) {
    tokens.draw(0, 1, block);
    EXPECT_NE(block.experts.front(), last);
    last = block.experts.front();
  }
}

TEST(LongRunShares, IsExactForAMemoryOfTheFirstChoice) {
  // p (1 + p) / 1.38 as above; with tilt -1 p (1 - p) = 0.25, 0.21, 0.16, sum 0.62.
  const std::vector<double> p{0.5, 0.3, 0.2};
  const auto drawn_to = long_run_shares(p, {.first_tilt = 1.0}, 1);
  EXPECT_NEAR(drawn_to[0], 0.75 / 1.38, 1e-10);
  EXPECT_NEAR(drawn_to[2], 0.24 / 1.38, 1e-10);
  EXPECT_NEAR(long_run_shares(p, {.first_tilt = -1.0, .second_tilt = 9.0}, 1)[1], 0.21 / 0.62,
              1e-10);
}

/// Stationary shares of first choices over all ordered pairs of choices, by repeated steps.
std::vector<double> pair_chain_shares(const std::vector<double>& p, const LayerMemory& memory) {
  const std::size_t n = p.size();
  std::vector<double> state(n * n, 1.0 / static_cast<double>(n * n));
  for (int step = 0; step < 400; ++step) {
    std::vector<double> next(n * n, 0.0);
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b) {
        std::vector<double> w = p;
        if (a != b) w[a] *= 1.0 + memory.first_tilt;
        if (a != b) w[b] *= 1.0 + memory.second_tilt;
        double total = 0.0;
        for (const double weight : w) total += weight;
        for (std::size_t e = 0; e < n; ++e)
          for (std::size_t f = 0; f < n; ++f)
            if (e != f) next[e * n + f] += state[a * n + b] * w[e] / total * w[f] / (total - w[e]);
      }
    state = next;
  }
  std::vector<double> first(n, 0.0);
  for (std::size_t i = 0; i < n * n; ++i) first[i / n] += state[i];
  return first;
}

TEST(LongRunShares, IsCloseForAMemoryOfBothChoices) {
  struct Case {
    double first_tilt, second_tilt, bound;
  };
  // Shares as spread as those measured for Mixtral; the bounds are those that the header states.
  const std::vector<double> p{0.19, 0.16, 0.14, 0.13, 0.12, 0.10, 0.09, 0.07};
  for (const auto& [first_tilt, second_tilt, bound] : {Case{1.0, 1.0, 0.01},
                                                       {0.5, -0.5, 0.01},
                                                       {-1.0, 1.0, 0.01},
                                                       {1.0, -1.0, 0.01},
                                                       {2.0, 0.5, 0.02},
                                                       {-0.5, 2.0, 0.02},
                                                       {3.0, 3.0, 0.02}}) {
    const LayerMemory memory{.first_tilt = first_tilt, .second_tilt = second_tilt};
    const auto exact = pair_chain_shares(p, memory);
    const auto close = long_run_shares(p, memory, 2);
    for (std::size_t e = 0; e < p.size(); ++e)
      EXPECT_NEAR(close[e] / exact[e], 1.0, bound) << first_tilt << ", " << second_tilt;
  }
}

}  // namespace
}  // namespace switchyard
