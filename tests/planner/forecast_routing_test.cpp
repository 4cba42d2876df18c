#include "sim/planner/forecast_routing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace switchyard {
namespace {

constexpr RoutingShape kFourTokens{.groups_per_rank = 1, .group_tokens = 4, .num_experts = 2};

RoutingSpec given(std::vector<double> weights) {
  return {.router = FixedRouter{GivenPopularity{std::move(weights)}}, .gate = {}, .slots = {}};
}

TEST(CountRouting, CountsTheDropsOfATraceAtEachCapacity) {
  const auto trace = std::make_shared<const RoutingTrace>(RoutingTrace{.num_tokens = 4,
                                                                       .num_layers = 1,
                                                                       .num_choices = 1,
                                                                       .num_experts = 2,
                                                                       .experts = {0, 0, 1, 0}});
  const RoutingSpec routing{.router = TraceRouter{.trace = trace}, .gate = {}, .slots = {}};
  const auto layers = count_routing(routing, kFourTokens, std::vector<std::int64_t>{2, 1}, {});
  // Three tokens on expert 0: one too many for two slots, two for one.
  EXPECT_THAT(layers, testing::ElementsAre(RoutingCounts{
                          .num_choices = 4, .largest_load = 3, .num_dropped = {1, 2}}));
}

TEST(OutcomeOfSteps, WeighsDropsByChoices) {
  const std::vector<RoutingCounts> steps{{.num_choices = 4, .largest_load = 3, .num_dropped = {1}},
                                         {.num_choices = 4, .largest_load = 2, .num_dropped = {0}}};
  const RoutingOutcome outcome = outcome_of_steps(steps, 2);
  EXPECT_DOUBLE_EQ(outcome.dropped_fraction.front(), 1.0 / 8);
  // Means of two choices an expert: 3 / 2 and 2 / 2.
  EXPECT_DOUBLE_EQ(outcome.load_max_over_mean, 1.25);
}

TEST(ForecastRouting, IsCertainWhereOneExpertHasAll) {
  const auto forecasts = forecast_routing({.layers = {given({1.0, 0.0}), given({0.0, 1.0})},
                                           .shape = kFourTokens,
                                           .capacities = {3, 4},
                                           .samples = 5});
  ASSERT_EQ(forecasts.size(), 3U);  // two layers and their mean
  for (const RoutingForecast& forecast : forecasts) {
    // Four tokens for three slots; the load of one expert is twice the mean.
    EXPECT_EQ(forecast.dropped_fraction[0].p5, 0.25);
    EXPECT_EQ(forecast.dropped_fraction[0].p95, 0.25);
    EXPECT_EQ(forecast.dropped_fraction[1].p95, 0.0);
    EXPECT_EQ(forecast.load_max_over_mean.p50, 2.0);
  }
}

TEST(ForecastRouting, HasTheBinomialDropsOfEqualExperts) {
  ForecastSpec spec{.layers = {RoutingSpec{}},
                    .shape = {.groups_per_rank = 1, .group_tokens = 64, .num_experts = 2},
                    .capacities = {32},
                    .steps = 100,
                    .seed = 7};
  const auto once = forecast_routing(spec).front().dropped_fraction.front();
  // E|X - 32| / 64 of a binomial X: 32 * C(64, 32) / 2^64 = 3.179 of 64. One step deviates by
  // sqrt(16 - 3.179^2) / 64 = 0.038, a mean of 100 by 0.0038, the median of 200 of these by 0.0003.
  EXPECT_NEAR(once.p50, 3.179 / 64, 0.0015);
  EXPECT_NEAR(once.p95 - once.p5, 2 * 1.645 * 0.0038, 0.003);
  EXPECT_EQ(forecast_routing(spec).front().dropped_fraction.front().p5, once.p5);
  spec.seed = 8;
  EXPECT_NE(forecast_routing(spec).front().dropped_fraction.front().p5, once.p5);
}

}  // namespace
}  // namespace switchyard
