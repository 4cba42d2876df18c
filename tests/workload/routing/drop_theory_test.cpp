#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "sim/workload/routing/expected_drops.hpp"
#include "sim/workload/routing/popularity.hpp"
#include "sim/workload/routing/routing_draw.hpp"

namespace switchyard {
namespace {

/// Variance of max(0, X - C) for X binomial, term by term.
double overflow_variance(std::int64_t trials, double probability, std::int64_t capacity) {
  if (probability >= 1.0) return 0.0;
  const auto n = static_cast<double>(trials);
  double mean = 0.0;
  double square = 0.0;
  for (std::int64_t load = capacity + 1; load <= trials; ++load) {
    const auto x = static_cast<double>(load);
    const double over = x - static_cast<double>(capacity);
    const double mass = std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) +
                                 x * std::log(probability) + (n - x) * std::log1p(-probability));
    mean += over * mass;
    square += over * over * mass;
  }
  return square - mean * mean;
}

// The loads of the experts of a group are negatively associated (Joag-Dev, Proschan, "Negative
// Association of Random Variables", Ann. Statist. 11, 1983: multinomial counts, and sums of random
// samples of fixed size), so the overflows are, and the variance of their sum is at most the sum of
// their variances. With G groups the standard error of the dropped fraction is at most
// sqrt(G * sum of variances) / (G S k).
double standard_error(const RoutingShape& shape, int top_k, double variance_of_group) {
  const auto groups = static_cast<double>(shape.num_ranks * shape.groups_per_rank);
  return std::sqrt(variance_of_group / groups) / (static_cast<double>(shape.group_tokens) * top_k);
}

struct UniformCase {
  int num_experts = 0;
  double capacity_factor = 0.0;
  int top_k = 1;
};

class UniformRouter : public ::testing::TestWithParam<UniformCase> {};

TEST_P(UniformRouter, DropsTheExpectedFraction) {
  const auto& [num_experts, capacity_factor, top_k] = GetParam();
  // Groups of at least 512 tokens and 4 tokens an expert; 65,536 tokens in all.
  const std::int64_t group_tokens = std::max(512, 4 * num_experts);
  const auto capacity = static_cast<std::int64_t>(capacity_factor * top_k *
                                                  static_cast<double>(group_tokens) / num_experts);
  const RoutingShape shape{.num_ranks = 4,
                           .groups_per_rank = 65'536 / 4 / group_tokens,
                           .group_tokens = group_tokens,
                           .num_experts = num_experts,
                           .capacity = capacity};
  const double share = static_cast<double>(top_k) / num_experts;
  const double error =
      standard_error(shape, top_k, num_experts * overflow_variance(group_tokens, share, capacity));
  const RoutingSpec spec{
      .router = FixedRouter{UniformPopularity{}}, .gate = {.top_k = top_k}, .slots = {}};
  EXPECT_NEAR(dropped_fraction(draw_routing(spec, shape, {.seed = 1}).front()),
              expected_dropped_fraction(group_tokens, num_experts, top_k, capacity), 3.0 * error);
}

std::vector<UniformCase> uniform_cases() {
  std::vector<UniformCase> cases;
  for (const int num_experts : {2, 8, 32, 128, 512, 2048})
    for (const double capacity_factor : {1.0, 1.25, 2.0})
      for (const int top_k : {1, 2}) cases.push_back({num_experts, capacity_factor, top_k});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(ExpertsFactorsAndChoices, UniformRouter,
                         ::testing::ValuesIn(uniform_cases()));

TEST(GlobalScope, DropsTheExpectedFraction) {
  // One group of all 40,960 tokens, 64 experts. One draw: G = 1.
  RoutingSpec spec{.router = FixedRouter{UniformPopularity{}}, .gate = {.top_k = 1}, .slots = {}};
  spec.slots.scope = SlotScope::kGlobal;
  const RoutingShape shape{.num_ranks = 4,
                           .groups_per_rank = 10,
                           .group_tokens = 1024,
                           .num_experts = 64,
                           .capacity = 640};
  const double error = std::sqrt(64.0 * overflow_variance(40'960, 1.0 / 64, 640)) / 40'960.0;
  EXPECT_NEAR(dropped_fraction(draw_routing(spec, shape, {.seed = 1}).front()),
              expected_dropped_fraction(40'960, 64, 1, 640), 3.0 * error);
}

class UnevenRouter : public ::testing::TestWithParam<int> {};

TEST_P(UnevenRouter, DropsTheExpectedFraction) {
  const int top_k = GetParam();
  std::vector<double> shares;
  for (int e = 0; e < 32; ++e) shares.push_back(std::pow(e + 1.0, -0.7));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  const RoutingSpec spec{
      .router = FixedRouter{GivenPopularity{shares}}, .gate = {.top_k = top_k}, .slots = {}};
  const RoutingShape shape{.num_ranks = 4,
                           .groups_per_rank = 32,
                           .group_tokens = 512,
                           .num_experts = 32,
                           .capacity = 20 * top_k};
  double error = 0.0;
  if (top_k == 1) {
    double variance = 0.0;
    for (const double share : shares)
      variance += overflow_variance(shape.group_tokens, share, shape.capacity);
    error = standard_error(shape, top_k, variance);
  } else {
    // Choices without replacement by uneven shares need not be negatively associated. But other
    // choices of one token change the number dropped in its group by at most k, so its variance is
    // at most S k^2 / 4 (bounded differences; Boucheron, Lugosi, Massart, 2013, corollary 3.2).
    error =
        standard_error(shape, top_k, static_cast<double>(shape.group_tokens * top_k * top_k) / 4.0);
  }
  EXPECT_NEAR(dropped_fraction(draw_routing(spec, shape, {.seed = 2}).front()),
              expected_dropped_fraction(shape.group_tokens, shares, top_k, shape.capacity),
              3.0 * error);
}

INSTANTIATE_TEST_SUITE_P(Choices, UnevenRouter, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace switchyard
