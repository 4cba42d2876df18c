#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/workload/routing/drawn_tokens.hpp"

namespace switchyard {
namespace {

using testing::choice;
using testing::draw_layers;
using testing::draw_tokens;
using testing::expect_frequency;
using testing::frequency;
using testing::share_of_tokens;
using testing::small_trace;
using testing::top_k_of;

constexpr std::int64_t kTokens = 200'000;

// A domain that sends all to one expert of its own, drawn at random.
DomainRouter one_expert_domains(std::vector<double> weights, int num_experts,
                                std::int64_t sequence_tokens) {
  std::vector<double> one(static_cast<std::size_t>(num_experts), 0.0);
  one.front() = 1.0;
  return {.domain_weights = std::move(weights),
          .of_domain = GivenPopularity{.weights = one, .in_any_order = true},
          .sequence_tokens = sequence_tokens};
}

TEST(DomainRouter, KeepsADomainThroughASequenceInAllLayers) {
  const RoutingSpec spec = top_k_of(one_expert_domains({1, 1, 1, 1}, 64, 50), 1);
  const auto layers =
      draw_layers(spec, {.num_experts = 64, .num_layers = 3, .tokens_per_rank = 5000});
  for (const TokenChoices& choices : layers) {
    std::map<std::int32_t, std::int32_t> of_bottom;  // an expert of layer 0 tells the domain
    for (std::size_t t = 0; t < 5000; ++t) {
      EXPECT_EQ(choice(choices, t, 0), choice(choices, t / 50 * 50, 0));
      const auto [same, added] =
          of_bottom.emplace(choice(layers.front(), t, 0), choice(choices, t, 0));
      EXPECT_EQ(same->second, choice(choices, t, 0));
    }
    // 100 sequences miss one of 4 domains with probability 4 * 0.75^100 = 1e-12; two domains of 64
    // experts share one with probability 6/64, so at least 2 differ.
    EXPECT_GE(of_bottom.size(), 2U);
  }
}

TEST(DomainRouter, DrawsDomainsByWeightForEachRank) {
  // Two domains with 1 : 3 over sequences of one token.
  const RoutingSpec spec = top_k_of(one_expert_domains({1, 3}, 1000, 1), 1);
  const RouterShape shape{.num_experts = 1000, .num_ranks = 2, .tokens_per_rank = 40'000};
  const auto first = draw_layers(spec, shape, false, {.seed = 1}, 0).front();
  const auto second = draw_layers(spec, shape, false, {.seed = 1}, 1).front();
  EXPECT_NE(first.experts, second.experts);
  std::vector<std::int32_t> experts = first.experts;
  std::ranges::sort(experts);
  ASSERT_NE(experts.front(), experts.back());
  const double share = frequency(first, 0, experts.front());
  expect_frequency(std::min(share, 1.0 - share), 0.25, 40'000);
  EXPECT_NEAR(share, frequency(second, 0, experts.front()),
              2.0 * testing::five_errors(0.25, 40'000));
}

TEST(DomainRouter, MultipliesCommonAndOwnWeights) {
  // 0.5, 0.3, 0.2 times 1, 2, 4: 0.5, 0.6, 0.8 of 1.9.
  const DomainRouter router{.domain_weights = {1},
                            .common = GivenPopularity{{0.5, 0.3, 0.2}},
                            .of_domain = GivenPopularity{{1, 2, 4}}};
  const Router one{top_k_of(router, 1), {.num_experts = 3}, {}};
  EXPECT_NEAR(one.popularity(0)[1], 0.6 / 1.9, 1e-15);
}

TEST(LayerCorrelatedRouter, WithAffinityOneFollowsAPermutation) {
  const RoutingSpec spec = top_k_of(LayerCorrelatedRouter{.affinity = 1.0}, 2);
  const RouterShape shape{.num_experts = 16, .num_layers = 3, .tokens_per_rank = 2000};
  const auto layers = draw_layers(spec, shape);
  const auto other_draw = draw_layers(spec, shape, false, {.seed = 1, .draw = 4});
  for (std::size_t layer = 1; layer < 3; ++layer) {
    std::map<std::int32_t, std::int32_t> follower;
    std::set<std::int32_t> images;
    for (const auto* draw : {&layers, &other_draw})  // the permutation is that of the model
      for (std::size_t t = 0; t < 2000; ++t)
        for (int place = 0; place < 2; ++place) {
          const std::int32_t image = choice((*draw)[layer], t, place);
          images.insert(image);
          EXPECT_EQ(follower.emplace(choice((*draw)[layer - 1], t, place), image).first->second,
                    image);
        }
    EXPECT_EQ(follower.size(), 16U);
    EXPECT_EQ(images.size(), 16U);
  }
}

TEST(LayerCorrelatedRouter, FollowsAsOftenAsTheAffinitySays) {
  const RouterShape shape{.num_experts = 16, .num_layers = 2, .tokens_per_rank = kTokens};
  std::map<std::int32_t, std::int32_t> follower;  // of the same seed
  const auto certain = draw_layers(top_k_of(LayerCorrelatedRouter{.affinity = 1.0}, 1), shape);
  for (std::size_t t = 0; t < 2000; ++t)
    follower[choice(certain[0], t, 0)] = choice(certain[1], t, 0);
  for (const double affinity : {0.0, 0.3, 0.9}) {
    const auto layers =
        draw_layers(top_k_of(LayerCorrelatedRouter{.affinity = affinity}, 1), shape);
    // By affinity, or else by chance 1/16.
    expect_frequency(share_of_tokens(layers[1],
                                     [&](std::size_t t) {
                                       return choice(layers[1], t, 0) ==
                                              follower.at(choice(layers[0], t, 0));
                                     }),
                     affinity + (1.0 - affinity) / 16.0, kTokens);
  }
}

TEST(LayerCorrelatedRouter, FollowsWhatTheGateThenDidNotUse) {
  RoutingSpec spec = top_k_of(LayerCorrelatedRouter{.affinity = 1.0}, 2);
  spec.gate.second_choice = SecondChoice::kNever;
  const auto layers =
      draw_layers(spec, {.num_experts = 16, .num_layers = 2, .tokens_per_rank = 100});
  for (std::size_t t = 0; t < 100; ++t) {
    EXPECT_NE(choice(layers[1], t, 0), kNoExpert);
    EXPECT_EQ(choice(layers[1], t, 1), kNoExpert);
  }
}

TEST(TraceRouter, DealsTokensToRanksAndBeginsAnew) {
  // 2 ranks with 3 tokens each: draw 0 takes tokens 0 1 2 | 3 4 0, draw 1 goes on with 1 2 3 | 4
  // 0 1.
  const RoutingSpec spec = top_k_of(TraceRouter{small_trace()}, 2);
  const RouterShape shape{.num_experts = 8, .num_layers = 2, .num_ranks = 2, .tokens_per_rank = 3};
  const auto experts = [&](std::uint64_t draw, int rank, std::size_t layer) {
    return draw_layers(spec, shape, false, {.draw = draw}, rank)[layer].experts;
  };
  using Experts = std::vector<std::int32_t>;
  EXPECT_EQ(experts(0, 0, 0), (Experts{0, 1, 1, 2, 2, 3}));
  EXPECT_EQ(experts(0, 1, 0), (Experts{3, 4, 4, 5, 0, 1}));
  EXPECT_EQ(experts(1, 0, 0), (Experts{1, 2, 2, 3, 3, 4}));
  EXPECT_EQ(experts(1, 1, 0), (Experts{4, 5, 0, 1, 1, 2}));
  EXPECT_EQ(experts(0, 0, 1), (Experts{2, 3, 3, 4, 4, 5}));  // layer 1
}

TEST(TraceRouter, TakesTheFirstChoicesOfMore) {
  const auto choices = draw_tokens(top_k_of(TraceRouter{small_trace()}, 1), 8, 5);
  EXPECT_EQ(choices.experts, (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
}

TEST(TraceRouter, KeepsWhatTheRecordedGateDidNotChoose) {
  RoutingTrace trace = *small_trace();
  trace.experts[1] = kNoExpert;
  const auto recorded = std::make_shared<const RoutingTrace>(trace);
  EXPECT_EQ(choice(draw_tokens(top_k_of(TraceRouter{recorded}, 2), 8, 5), 0, 1), kNoExpert);
}

TEST(TraceRouter, CountsItsPopularity) {
  const Router router{
      top_k_of(TraceRouter{small_trace()}, 1), {.num_experts = 8, .num_layers = 2}, {}};
  EXPECT_EQ(router.popularity(1), (std::vector<double>{0, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0}));
}

}  // namespace
}  // namespace switchyard
