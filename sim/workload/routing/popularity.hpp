#pragma once

#include <random>
#include <span>
#include <variant>
#include <vector>

namespace switchyard {

/// Share of the first choices that each expert gets, as a distribution over possible routers.

/// Every expert the same.
struct UniformPopularity {};

/// The r-th most popular expert has weight r^-exponent; which one that is, is drawn.
struct ZipfPopularity {
  double exponent = 1.0;
};

/// Weights exp(sigma * normal), independent.
struct LognormalPopularity {
  double sigma = 0.0;
};

/// Shares from the symmetric Dirichlet distribution: large concentrations are even.
struct DirichletPopularity {
  double concentration = 1.0;
};

/// These weights, by expert; where `in_any_order`, assigned to experts at random.
struct GivenPopularity {
  std::vector<double> weights;
  bool in_any_order = false;
};

using PopularitySpec = std::variant<UniformPopularity, ZipfPopularity, LognormalPopularity,
                                    DirichletPopularity, GivenPopularity>;

/// Shares exp(logit), scaled to sum 1. No overflow, whatever the logits. Precondition: at least one
/// logit (checked), the largest finite.
[[nodiscard]] std::vector<double> softmax(std::span<const double> logits);

/// One draw of the shares, by expert; they sum to 1. A share may be too small for a double and is
/// then 0.
/// Precondition: num_experts at least 1; parameters in range (exponent and sigma >= 0,
/// concentration > 0, as many weights as experts, none negative, not all 0) (checked).
[[nodiscard]] std::vector<double> draw_popularity(const PopularitySpec& spec, int num_experts,
                                                  std::mt19937_64& rng);

}  // namespace switchyard
