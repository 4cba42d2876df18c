#include "sim/workload/routing/popularity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"

namespace switchyard {
namespace {

void shuffle(std::vector<double>& values, std::mt19937_64& rng) {
  for (std::size_t left = values.size(); left > 1; --left)
    std::swap(values[left - 1], values[uniform_below(left, rng)]);
}

/// Logarithm of a number from the gamma distribution of that shape and scale 1.
/// Source: Marsaglia, Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26(3),
///         2000; its section 6 for shapes below 1.
double log_gamma_number(double shape, std::mt19937_64& rng) {
  if (shape < 1.0) return log_gamma_number(shape + 1.0, rng) + std::log(open_unit(rng)) / shape;
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = standard_normal(rng);
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double log_v = 3.0 * std::log(root);
    if (std::log(open_unit(rng)) < 0.5 * x * x + d - d * root * root * root + d * log_v)
      return std::log(d) + log_v;
  }
}

struct Draw {
  std::size_t num_experts = 0;
  std::mt19937_64& rng;

  std::vector<double> operator()(const UniformPopularity&) const {
    return std::vector<double>(num_experts, 1.0 / static_cast<double>(num_experts));
  }

  std::vector<double> operator()(const ZipfPopularity& zipf) const {
    SWITCHYARD_CHECK(std::isfinite(zipf.exponent) && zipf.exponent >= 0.0, "Zipf exponent {}",
                     zipf.exponent);
    std::vector<double> logits(num_experts);
    for (std::size_t i = 0; i < num_experts; ++i)
      logits[i] = -zipf.exponent * std::log(static_cast<double>(i + 1));
    shuffle(logits, rng);
    return softmax(logits);
  }

  std::vector<double> operator()(const LognormalPopularity& lognormal) const {
    SWITCHYARD_CHECK(std::isfinite(lognormal.sigma) && lognormal.sigma >= 0.0, "sigma {}",
                     lognormal.sigma);
    std::vector<double> logits(num_experts);
    for (double& logit : logits) logit = lognormal.sigma * standard_normal(rng);
    return softmax(logits);
  }

  std::vector<double> operator()(const DirichletPopularity& dirichlet) const {
    SWITCHYARD_CHECK(std::isfinite(dirichlet.concentration) && dirichlet.concentration > 0.0,
                     "concentration {}", dirichlet.concentration);
    std::vector<double> logits(num_experts);
    for (double& logit : logits) logit = log_gamma_number(dirichlet.concentration, rng);
    if (std::isfinite(std::ranges::max(logits))) return softmax(logits);
    // The limit of a concentration of 0: one expert, any of them, has all.
    std::vector<double> shares(num_experts, 0.0);
    shares[uniform_below(num_experts, rng)] = 1.0;
    return shares;
  }

  std::vector<double> operator()(const GivenPopularity& given) const {
    SWITCHYARD_CHECK(given.weights.size() == num_experts, "{} weights for {} experts",
                     given.weights.size(), num_experts);
    for (const double weight : given.weights)
      SWITCHYARD_CHECK(std::isfinite(weight) && weight >= 0.0, "weight {}", weight);
    const double largest = std::ranges::max(given.weights);
    SWITCHYARD_CHECK(largest > 0.0, "{} weights, all 0", num_experts);
    std::vector<double> shares = given.weights;
    // By the largest first: the sum of large weights might overflow.
    for (double& share : shares) share /= largest;
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    for (double& share : shares) share /= sum;
    if (given.in_any_order) shuffle(shares, rng);
    return shares;
  }
};

}  // namespace

std::vector<double> softmax(std::span<const double> logits) {
  SWITCHYARD_CHECK(!logits.empty(), "no logits");
  const double largest = std::ranges::max(logits);
  std::vector<double> shares(logits.size());
  std::ranges::transform(logits, shares.begin(),
                         [largest](double logit) { return std::exp(logit - largest); });
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

std::vector<double> draw_popularity(const PopularitySpec& spec, int num_experts,
                                    std::mt19937_64& rng) {
  SWITCHYARD_CHECK(num_experts >= 1, "{} experts", num_experts);
  return std::visit(Draw{static_cast<std::size_t>(num_experts), rng}, spec);
}

}  // namespace switchyard
