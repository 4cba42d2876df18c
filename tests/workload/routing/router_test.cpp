#include "sim/workload/routing/router.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "tests/workload/routing/drawn_tokens.hpp"

namespace switchyard {
namespace {

using testing::draw_layers;
using testing::draw_tokens;
using testing::expect_frequency;
using testing::frequency;
using testing::given;
using testing::small_trace;
using testing::top_k_of;

constexpr std::int64_t kTokens = 200'000;

std::vector<RouterSpec> one_of_each_kind() {
  return {FixedRouter{LognormalPopularity{0.5}},
          LearnedRouter{.layer_spread = 0.3, .drift_steps = 10.0},
          TemporalRouter{{{.layer = 0, .first_tilt = 1.0, .second_tilt = -0.5}}},
          DomainRouter{.domain_weights = {1, 2}, .sequence_tokens = 10},
          LayerCorrelatedRouter{},
          TraceRouter{small_trace()}};
}

/// Choices of all ranks and layers in blocks of 7 tokens, ranks drawn in the order given.
std::map<std::pair<int, int>, std::vector<std::int32_t>> all_choices(const RoutingSpec& spec,
                                                                     const RoutingStream& stream,
                                                                     const std::vector<int>& ranks,
                                                                     bool with_gates = false) {
  const Router router{
      spec, {.num_experts = 8, .num_layers = 2, .num_ranks = 3, .tokens_per_rank = 35}, stream};
  std::map<std::pair<int, int>, std::vector<std::int32_t>> choices;
  for (const int rank : ranks) {
    RankTokens tokens{router, rank, with_gates};
    TokenChoices block;
    for (int i = 0; i < 5; ++i)
      for (int layer = 0; layer < 2; ++layer) {
        tokens.draw(layer, 7, block);
        auto& all = choices[{rank, layer}];
        all.insert(all.end(), block.experts.begin(), block.experts.end());
      }
  }
  return choices;
}

TEST(Router, IsAFunctionOfItsStreamWhateverTheOrderOfRanks) {
  const RoutingStream stream{.seed = 5, .stack = 1, .draw = 3};
  for (const RouterSpec& kind : one_of_each_kind()) {
    const RoutingSpec spec = top_k_of(kind, 2);
    const auto choices = all_choices(spec, stream, {0, 1, 2});
    EXPECT_EQ(choices, all_choices(spec, stream, {2, 0, 1})) << kind.index();
    if (!std::holds_alternative<TraceRouter>(kind)) {
      EXPECT_EQ(choices, all_choices(spec, stream, {0, 1, 2}, true)) << "gates, " << kind.index();
      EXPECT_NE(choices, all_choices(spec, {6, 1, 3}, {0, 1, 2})) << kind.index();
      EXPECT_NE(choices, all_choices(spec, {5, 0, 3}, {0, 1, 2})) << kind.index();
      EXPECT_NE(choices, all_choices(spec, {5, 1, 4}, {0, 1, 2})) << kind.index();
      EXPECT_NE(choices.at({0, 0}), choices.at({1, 0})) << kind.index();
      EXPECT_NE(choices.at({0, 0}), choices.at({0, 1})) << kind.index();
    }
  }
}

TEST(Router, GivesDistinctExpertsInEveryRow) {
  for (const RouterSpec& kind : one_of_each_kind()) {
    if (std::holds_alternative<TraceRouter>(kind)) continue;
    RoutingSpec spec = top_k_of(kind, 2);
    spec.slots.reroute_attempts = 4;
    for (const auto& [where, experts] : all_choices(spec, {}, {0, 1, 2}))
      for (std::size_t begin = 0; begin < experts.size(); begin += 6) {
        const std::set<std::int32_t> row{experts.begin() + static_cast<std::ptrdiff_t>(begin),
                                         experts.begin() + static_cast<std::ptrdiff_t>(begin + 6)};
        EXPECT_EQ(row.size(), 6U) << kind.index();
        EXPECT_GE(*row.begin(), 0);
        EXPECT_LT(*row.rbegin(), 8);
      }
  }
}

TEST(Router, GivesEachExpertOnceWhereAllAreChosen) {
  for (const RouterSpec& kind : one_of_each_kind()) {
    if (std::holds_alternative<TraceRouter>(kind)) continue;
    for (const auto& [where, experts] : all_choices(top_k_of(kind, 8), {}, {0}))
      for (std::int32_t e = 0; e < 8; ++e) EXPECT_EQ(std::ranges::count(experts, e), 35);
  }
}

TEST(Router, SendsFirstChoicesByPopularity) {
  // Chains and sequences of tokens are correlated: sequences of 10 tokens of one domain multiply
  // the variance by at most 10, the chain of tilts 1 and -0.5 with 8 experts by far less.
  for (const RouterSpec& kind : one_of_each_kind()) {
    if (std::holds_alternative<TraceRouter>(kind)) continue;
    const RoutingSpec spec = top_k_of(kind, 2);
    const RouterShape shape{.num_experts = 8, .num_layers = 2, .tokens_per_rank = kTokens};
    const auto layers = draw_layers(spec, shape);
    const Router router{spec, shape, {.seed = 1}};
    for (int layer = 0; layer < 2; ++layer) {
      const auto popularity = router.popularity(layer);
      EXPECT_NEAR(std::accumulate(popularity.begin(), popularity.end(), 0.0), 1.0, 1e-12);
      for (std::int32_t e = 0; e < 8; ++e)
        expect_frequency(frequency(layers[static_cast<std::size_t>(layer)], 0, e),
                         popularity[static_cast<std::size_t>(e)], kTokens / 10);
    }
  }
}

TEST(FixedRouter, StaysFastAndRightBesideAnExpertThatHasNearlyAll) {
  // Second choices of those whose first is expert 0 fall on the others as 1 : 2 : 3.
  const auto choices =
      draw_tokens(top_k_of(given({999'999.0, 1.0 / 6, 2.0 / 6, 3.0 / 6}), 2), 4, kTokens);
  for (std::int32_t e = 1; e < 4; ++e) expect_frequency(frequency(choices, 1, e), e / 6.0, kTokens);
  EXPECT_GT(frequency(choices, 0, 0), 0.9999);
}

TEST(FixedRouter, DrawsPopularityForEachLayerAndDraw) {
  const RoutingSpec spec = top_k_of(FixedRouter{LognormalPopularity{0.5}}, 1);
  const RouterShape shape{.num_experts = 8, .num_layers = 2};
  const auto popularity = [&](std::uint64_t draw, int layer) {
    return Router{spec, shape, {.draw = draw}}.popularity(layer);
  };
  EXPECT_EQ(popularity(0, 0), popularity(0, 0));
  EXPECT_NE(popularity(0, 0), popularity(0, 1));
  EXPECT_NE(popularity(0, 0), popularity(1, 0));
}

TEST(RankTokens, ASmallerBlockIsTheSameStream) {
  // Where no token repeats an expert, blocks of an even number of choices cut one stream.
  const RoutingSpec spec = top_k_of(FixedRouter{}, 1);
  const Router router{spec, {.num_experts = 8, .tokens_per_rank = 100}, {}};
  RankTokens whole{router, 0, false};
  RankTokens cut{router, 0, false};
  TokenChoices all;
  whole.draw(0, 100, all);
  TokenChoices block;
  for (std::size_t begin = 0; begin < 100; begin += 20) {
    cut.draw(0, 20, block);
    EXPECT_TRUE(std::equal(block.experts.begin(), block.experts.end(),
                           all.experts.begin() + static_cast<std::ptrdiff_t>(begin)));
  }
}

TEST(RankTokensDeathTest, AsksForLayersInOrderAndBlocksOfOneSize) {
  const Router router{
      top_k_of(FixedRouter{}, 1), {.num_experts = 8, .num_layers = 2, .tokens_per_rank = 10}, {}};
  TokenChoices block;
  EXPECT_DEATH(RankTokens(router, 0, false).draw(1, 5, block), "layer 1 where 0 is next");
  EXPECT_DEATH(RankTokens(router, 0, false).draw(0, 11, block), "11 tokens after 0 of 10");
  EXPECT_DEATH(RankTokens(router, 1, false), "rank 1 of 1");
  RankTokens tokens{router, 0, false};
  tokens.draw(0, 5, block);
  EXPECT_DEATH(tokens.draw(1, 4, block), "4 tokens in a block of 5");
}

void build(const RouterSpec& router, const GateSpec& gate = {}, int num_experts = 8) {
  const Router built{
      {.router = router, .gate = gate, .slots = {}}, {.num_experts = num_experts}, {}};
}

TEST(RouterDeathTest, RejectsImpossibleGates) {
  EXPECT_DEATH(build(FixedRouter{}, {.top_k = 9}), "top_k 9 of 8 experts");
  EXPECT_DEATH(build(FixedRouter{}, {.top_k = 0}), "top_k 0 of 8 experts");
  EXPECT_DEATH(build(FixedRouter{}, {.top_k = 3, .second_choice = SecondChoice::kNever}),
               "a policy for second choices with top_k 3");
  EXPECT_DEATH(build(FixedRouter{}, {.jitter = -1.0}), "jitter -1");
  EXPECT_DEATH(build(FixedRouter{}, {.expert_groups = 3}), "8 experts in 3 groups");
  EXPECT_DEATH(build(FixedRouter{}, {.expert_groups = 4, .groups_per_token = 5}), "5 of 4 groups");
  EXPECT_DEATH(build(FixedRouter{}, {.top_k = 3, .expert_groups = 4}),
               "3 choices among the 2 experts of 1 groups");
  EXPECT_DEATH(build(TemporalRouter{{LayerMemory{}}}, {.expert_groups = 2}),
               "groups of experts are for fixed, learned and domain routers");
}

TEST(RouterDeathTest, RejectsImpossibleRouters) {
  EXPECT_DEATH(build(LearnedRouter{.lognormal_sigma = -1}), "sigma -1");
  EXPECT_DEATH(build(TemporalRouter{}), "no layers");
  EXPECT_DEATH(build(TemporalRouter{{{.layer = 1}, {.layer = 1}}}), "layer 1 is not above");
  EXPECT_DEATH(build(TemporalRouter{{{.layer = 0, .first_tilt = -1.5}}}), "tilts -1.5 and 0");
  EXPECT_DEATH(build(DomainRouter{}), "0 domains");
  EXPECT_DEATH(build(LayerCorrelatedRouter{.affinity = 1.5}), "affinity 1.5");
  EXPECT_DEATH(build(TraceRouter{}), "no trace");
  EXPECT_DEATH(build(TraceRouter{small_trace()}, {.top_k = 3}), "2 choices, 8 experts for");
  EXPECT_DEATH(build(TraceRouter{small_trace()}, {}, 7), "8 experts for 1 layers");
  EXPECT_DEATH(
      build(TraceRouter{small_trace()}, {.top_k = 2, .second_choice = SecondChoice::kRandom}),
      "a trace has no gates");
}

}  // namespace
}  // namespace switchyard
