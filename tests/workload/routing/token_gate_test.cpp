#include "sim/workload/routing/token_gate.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "tests/workload/routing/drawn_tokens.hpp"

namespace switchyard {
namespace {

using testing::choice;
using testing::draw_tokens;
using testing::expect_frequency;
using testing::five_errors;
using testing::gate;
using testing::given;
using testing::share_of_tokens;
using testing::top_k_of;

constexpr std::int64_t kTokens = 200'000;

TEST(TokenGate, GatesAreASoftmaxOfGumbelLogits) {
  // Two experts of share 1/2: the difference d of their logits is logistic, P(|d| < x) =
  // 2 / (1 + e^-x) - 1, and gate_2 = 1 / (1 + e^|d|). So P(gate_2 > t) = 1 - 2 t: uniform up to
  // 1/2.
  const auto choices = draw_tokens(top_k_of(FixedRouter{}, 2), 2, kTokens, true);
  for (const double t : {0.05, 0.2, 0.4})
    expect_frequency(
        share_of_tokens(choices, [&](std::size_t i) { return gate(choices, i, 1) > t; }),
        1.0 - 2.0 * t, kTokens);
}

TEST(TokenGate, GatesFollowPopularity) {
  // Shares p and q: the first choice is i at T_1 = E, the other at T_2 = T_1 + E' / p_j. gate_2 =
  // T_1 / (T_1 + T_2) > t where E' < c p_j E with c = (1 - 2t) / t: probability c p_j / (1 + c
  // p_j).
  constexpr double kShare = 0.9;
  constexpr double kThreshold = 0.2;  // c = 3
  const auto choices = draw_tokens(top_k_of(given({kShare, 1.0 - kShare}), 2), 2, kTokens, true);
  const double expected = kShare * 0.3 / 1.3 + (1.0 - kShare) * 2.7 / 3.7;
  expect_frequency(
      share_of_tokens(choices, [&](std::size_t i) { return gate(choices, i, 1) > kThreshold; }),
      expected, kTokens);
}

TEST(TokenGate, GatesFallAndSumToOne) {
  const auto choices =
      draw_tokens(top_k_of(FixedRouter{LognormalPopularity{1.0}}, 4), 16, 1000, true);
  for (std::size_t t = 0; t < 1000; ++t) {
    double sum = gate(choices, t, 0);
    for (int place = 1; place < 4; ++place) {
      EXPECT_LE(gate(choices, t, place), gate(choices, t, place - 1));
      sum += gate(choices, t, place);
    }
    EXPECT_NEAR(sum, 1.0, 1e-6);
  }
}

TEST(TokenGate, SharpnessScalesLogits) {
  // gate_2 = 1 / (1 + e^(2 |d|)) > t where |d| < log((1 - t) / t) / 2; for t = 0.2 that is log 2,
  // so the probability is 2 / (1 + 1/2) - 1 = 1/3.
  RoutingSpec spec = top_k_of(FixedRouter{}, 2);
  spec.gate.sharpness = 2.0;
  const auto choices = draw_tokens(spec, 2, kTokens, true);
  expect_frequency(
      share_of_tokens(choices, [&](std::size_t i) { return gate(choices, i, 1) > 0.2; }), 1.0 / 3.0,
      kTokens);
}

TEST(TokenGate, ExtremeSharpnessGivesAllToTheFirst) {
  RoutingSpec spec = top_k_of(FixedRouter{}, 2);
  spec.gate.sharpness = 1e6;
  const auto choices = draw_tokens(spec, 64, 100, true);
  for (std::size_t t = 0; t < 100; ++t) EXPECT_GE(gate(choices, t, 0), 0.5);
  EXPECT_GT(share_of_tokens(choices, [&](std::size_t t) { return gate(choices, t, 0) > 0.999; }),
            0.95);
}

TEST(TokenGate, OverAllExpertsCountsThoseNotChosen) {
  // Two experts, one chosen: gate_1 = 1 - gate_2 of above, uniform between 1/2 and 1.
  RoutingSpec spec = top_k_of(FixedRouter{}, 1);
  spec.gate.renormalized = false;
  const auto choices = draw_tokens(spec, 2, kTokens, true);
  for (const double t : {0.55, 0.75, 0.95})
    expect_frequency(
        share_of_tokens(choices, [&](std::size_t i) { return gate(choices, i, 0) < t; }),
        2.0 * t - 1.0, kTokens);
}

TEST(TokenGate, OverAllExpertsGivesEachItsShareInTheMeanWhereSharesAreEqual) {
  // By symmetry an expert's gate over all 4, chosen or not, has mean 1/4; all are chosen here.
  // And then it is the same as over the chosen.
  RoutingSpec spec = top_k_of(FixedRouter{}, 4);
  const auto renormalized = draw_tokens(spec, 4, 20'000, true);
  spec.gate.renormalized = false;
  const auto over_all = draw_tokens(spec, 4, 20'000, true);
  EXPECT_EQ(renormalized.gates, over_all.gates);
  double mean = 0.0;
  for (std::size_t t = 0; t < 20'000; ++t)
    for (int place = 0; place < 4; ++place)
      if (choice(over_all, t, place) == 2) mean += gate(over_all, t, place) / 20'000;
  EXPECT_NEAR(mean, 0.25, five_errors(0.25, 20'000));  // a gate varies less than a coin
}

TEST(TokenGate, ExpertsWithoutPopularityHaveNoGate) {
  const auto choices = draw_tokens(top_k_of(given({1.0, 0.0, 0.0}), 2), 3, 100, true);
  for (std::size_t t = 0; t < 100; ++t) {
    EXPECT_EQ(choice(choices, t, 0), 0);
    EXPECT_EQ(gate(choices, t, 0), 1.0);
    EXPECT_EQ(gate(choices, t, 1), 0.0);
  }
}

RoutingSpec top_2_with(SecondChoice policy, double threshold = 0.2) {
  RoutingSpec spec = top_k_of(FixedRouter{}, 2);
  spec.gate.second_choice = policy;
  spec.gate.second_threshold = threshold;
  return spec;
}

double share_with_second(const TokenChoices& choices) {
  return share_of_tokens(choices,
                         [&](std::size_t t) { return choice(choices, t, 1) != kNoExpert; });
}

TEST(SecondChoice, ByThresholdIsKeptWhereItsGateExceedsIt) {
  // P(gate_2 > 0.2) = 0.6 as above.
  expect_frequency(share_with_second(draw_tokens(top_2_with(SecondChoice::kThreshold), 2, kTokens)),
                   0.6, kTokens);
}

TEST(SecondChoice, AtRandomIsKeptInProportionToItsGate) {
  // gate_2 uniform on (0, 1/2): mean of min(1, gate_2 / 0.2) = 0.4 * 1/2 + 0.6 = 0.8; for a
  // threshold of 1 the mean gate, 1/4.
  expect_frequency(share_with_second(draw_tokens(top_2_with(SecondChoice::kRandom), 2, kTokens)),
                   0.8, kTokens);
  expect_frequency(
      share_with_second(draw_tokens(top_2_with(SecondChoice::kRandom, 1.0), 2, kTokens)), 0.25,
      kTokens);
  // Mesh TensorFlow divides by at least 1e-9: a threshold of 0 keeps all.
  EXPECT_EQ(share_with_second(draw_tokens(top_2_with(SecondChoice::kRandom, 0.0), 2, 1000)), 1.0);
}

TEST(SecondChoice, IsAlwaysOrNeverKept) {
  EXPECT_EQ(share_with_second(draw_tokens(top_2_with(SecondChoice::kAlways), 8, 1000)), 1.0);
  EXPECT_EQ(share_with_second(draw_tokens(top_2_with(SecondChoice::kNever), 8, 1000)), 0.0);
}

TEST(SecondChoice, LeavesTheFirstAndTheAttemptsToReroute) {
  RoutingSpec spec = top_2_with(SecondChoice::kAlways);
  spec.slots.reroute_attempts = 2;
  const auto all = draw_tokens(spec, 8, 1000);
  spec.gate.second_choice = SecondChoice::kThreshold;
  const auto some = draw_tokens(spec, 8, 1000, true);
  ASSERT_EQ(some.num_choices, 4);
  for (std::size_t t = 0; t < 1000; ++t) {
    for (const int place : {0, 2, 3}) EXPECT_EQ(choice(some, t, place), choice(all, t, place));
    const bool is_kept = choice(some, t, 1) != kNoExpert;
    EXPECT_EQ(is_kept, gate(some, t, 1) > 0.0);
    if (!is_kept) continue;
    EXPECT_EQ(choice(some, t, 1), choice(all, t, 1));
    EXPECT_GT(gate(some, t, 1), 0.2);
  }
}

TEST(Jitter, WidensTheDifferenceOfLogits) {
  // Of two experts of share 1/2: a logistic number, variance pi^2 / 3, and two normal ones of
  // deviation s = 0.5 / sqrt(3) * pi / sqrt(6) = 0.370.
  EXPECT_NEAR(jitter_deviation(0.5), 0.3702, 1e-4);
  RoutingSpec spec = top_k_of(FixedRouter{}, 2);
  spec.gate.jitter = 0.5;
  const auto choices = draw_tokens(spec, 2, kTokens, true);
  double variance = 0.0;
  for (std::size_t t = 0; t < choices.num_tokens(); ++t) {
    const double difference = std::log(gate(choices, t, 0) / gate(choices, t, 1));
    variance += difference * difference / kTokens;
  }
  // 3.290 + 0.274. Kurtosis at most the logistic's 4.2, so the relative error of the variance is
  // sqrt(3.2 / 200,000) = 0.4 %; 5 of these, 0.07, are well below 0.274.
  EXPECT_NEAR(variance, std::numbers::pi * std::numbers::pi / 3.0 + 2.0 * 0.3702 * 0.3702, 0.071);
}

TEST(Jitter, EvensOutPopularityALittle) {
  // Logits log 3 apart plus logistic noise: P(first is 0) = 3/4 without jitter. More noise brings
  // it towards 1/2, by half the added variance times the logistic density's slope there: the second
  // derivative of F at log 3 is F (1 - F) (1 - 2F) = -0.094, so by 0.274 / 2 * 0.094 = 0.013, to
  // first order. That is 13 standard errors; the bound is 5 and an eighth of the shift.
  RoutingSpec spec = top_k_of(given({0.75, 0.25}), 1);
  spec.gate.jitter = 0.5;
  const auto choices = draw_tokens(spec, 2, kTokens);
  EXPECT_NEAR(testing::frequency(choices, 0, 0), 0.75 - 0.0128,
              five_errors(0.75, kTokens) + 0.0128 / 8);
}

TEST(Jitter, KeepsChoicesDistinctAndInOrder) {
  RoutingSpec spec = top_k_of(FixedRouter{LognormalPopularity{1.0}}, 3);
  spec.gate.jitter = 0.3;
  const auto choices = draw_tokens(spec, 8, 5000, true);
  ASSERT_EQ(choices.num_choices, 3);
  for (std::size_t t = 0; t < 5000; ++t) {
    EXPECT_NE(choice(choices, t, 0), choice(choices, t, 1));
    EXPECT_NE(choice(choices, t, 0), choice(choices, t, 2));
    EXPECT_NE(choice(choices, t, 1), choice(choices, t, 2));
    EXPECT_GE(gate(choices, t, 0), gate(choices, t, 1));
    EXPECT_GE(gate(choices, t, 1), gate(choices, t, 2));
  }
}

}  // namespace
}  // namespace switchyard
