#include "sim/workload/routing/inclusion_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

/// Adds the probability of every ordered choice that begins with `chosen` to its experts.
void enumerate(const std::vector<double>& shares, std::size_t top_k,
               std::vector<std::size_t>& chosen, double probability, double left,
               std::vector<double>& included) {
  if (chosen.size() == top_k) {
    for (const std::size_t expert : chosen) included[expert] += probability;
    return;
  }
  for (std::size_t e = 0; e < shares.size(); ++e) {
    if (std::ranges::find(chosen, e) != chosen.end()) continue;
    chosen.push_back(e);
    // What is left is summed anew: 1 - 0.999999... would lose digits.
    double rest = 0.0;
    for (std::size_t other = 0; other < shares.size(); ++other)
      if (std::ranges::find(chosen, other) == chosen.end()) rest += shares[other];
    enumerate(shares, top_k, chosen, probability * shares[e] / left, rest, included);
    chosen.pop_back();
  }
}

std::vector<double> enumerated(const std::vector<double>& shares, int top_k) {
  std::vector<double> included(shares.size(), 0.0);
  std::vector<std::size_t> chosen;
  enumerate(shares, static_cast<std::size_t>(top_k), chosen, 1.0, 1.0, included);
  return included;
}

std::vector<double> normalized(std::vector<double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

TEST(InclusionProbabilities, MatchEnumeratingAllOrderedChoices) {
  for (const std::vector<double>& weights : {std::vector<double>{4, 3, 2, 1},
                                             {1, 1, 1, 5, 5},
                                             {1, 2, 4, 8, 16, 32},
                                             {0.9, 0.05, 0.03, 0.02},
                                             {1, 1e-2, 1e-4, 1e-6, 1e-6}}) {
    const std::vector<double> shares = normalized(weights);
    for (int top_k = 1; top_k <= static_cast<int>(shares.size()); ++top_k) {
      const std::vector<double> expected = enumerated(shares, top_k);
      const std::vector<double> actual = inclusion_probabilities(shares, top_k);
      for (std::size_t e = 0; e < shares.size(); ++e)
        EXPECT_NEAR(actual[e], expected[e], 1e-11 * expected[e]) << top_k << ' ' << e;
    }
  }
}

TEST(InclusionProbabilities, SumToTheNumberOfChoices) {
  for (const int num_experts : {9, 64, 512}) {
    auto rng = stream_engine(1, {});
    std::vector<double> weights(static_cast<std::size_t>(num_experts));
    for (double& weight : weights) weight = std::exp(1.5 * standard_normal(rng));
    for (const int top_k : {1, 2, 3, 8}) {
      const std::vector<double> included = inclusion_probabilities(normalized(weights), top_k);
      EXPECT_NEAR(std::accumulate(included.begin(), included.end(), 0.0), top_k, 1e-11 * top_k)
          << num_experts << ' ' << top_k;
      EXPECT_LE(*std::ranges::max_element(included), 1.0 + 1e-12);
    }
  }
}

TEST(InclusionProbabilities, AreTheSharesAtTopOne) {
  EXPECT_THAT(inclusion_probabilities(std::vector<double>{0.5, 0.3, 0.2}, 1),
              ElementsAre(0.5, 0.3, 0.2));
}

TEST(InclusionProbabilities, AreEqualForEqualShares) {
  EXPECT_THAT(inclusion_probabilities(std::vector<double>(16, 1.0 / 16), 4), Each(0.25));
  EXPECT_THAT(inclusion_probabilities(std::vector<double>(4, 0.25), 4), Each(1.0));
}

TEST(InclusionProbabilities, LeaveOutExpertsWithoutAShare) {
  // Two of three with a share, 1/2, 1/4, 1/4. Expert 0 is in unless the others come first:
  // 1 - 2 * 1/4 * (1/4) / (3/4) = 5/6; the others share the rest, (2 - 5/6) / 2 = 7/12 each.
  const std::vector<double> included =
      inclusion_probabilities(std::vector<double>{0.5, 0.0, 0.25, 0.25}, 2);
  EXPECT_NEAR(included[0], 5.0 / 6.0, 1e-14);
  EXPECT_EQ(included[1], 0.0);
  EXPECT_NEAR(included[2], 7.0 / 12.0, 1e-14);
  EXPECT_NEAR(included[3], 7.0 / 12.0, 1e-14);
}

TEST(InclusionProbabilitiesDeathTest, RejectsMoreChoicesThanExpertsWithAShare) {
  EXPECT_DEATH((void)inclusion_probabilities(std::vector<double>{1.0, 0.0}, 2),
               "top_k 2 of 1 experts with a share");
}

}  // namespace
}  // namespace switchyard
