#pragma once

#include <cstdint>
#include <random>

#include <Eigen/Core>

namespace switchyard {

/// How tokens choose experts. A balanced router under an auxiliary loss is close to uniform.
struct RoutingSpec {
  int top_k = 1;
  /// Standard deviation of the logarithm of an expert's popularity; 0 is a uniform router.
  double lognormal_sigma = 0.0;
};

/// The buffers that tokens are routed into: groups are routed independently of each other.
struct RoutingShape {
  int num_ranks = 1;
  std::int64_t groups_per_rank = 1;
  std::int64_t group_tokens = 0;
  int num_experts = 0;
  std::int64_t capacity = 0;  ///< slots per expert and group
};

/// Tokens from each rank to each expert; shape (num_ranks, num_experts), row = source rank.
using TokenCounts = Eigen::Array<std::int64_t, Eigen::Dynamic, Eigen::Dynamic>;

/// One draw of the routing of one MoE layer in one microbatch. It decides at once what is sent,
/// what each expert computes and what is dropped.
struct RoutingDraw {
  TokenCounts routed;  ///< choices made; sums to tokens * top_k
  TokenCounts kept;    ///< choices that found a slot: at most groups_per_rank * capacity each
};

/// Draws every choice of every token; second choices differ from first ones.
///
/// Slots are given in token order, all first choices before any second (k-major). Whoever finds no
/// slot is dropped and passes through the residual connection.
/// Deterministic given the engine. Precondition: 1 <= top_k <= num_experts (checked).
/// Source: Mesh TensorFlow, transformer/moe.py, `_top_2_gating`.
[[nodiscard]] RoutingDraw draw_routing(const RoutingSpec& spec, const RoutingShape& shape,
                                       std::mt19937_64& rng);

/// Share of the choices that found no slot: for top-1 the share of tokens dropped, for top-2 mostly
/// second choices. Every second choice is made; the random second-choice policy is not modelled.
[[nodiscard]] double dropped_fraction(const RoutingDraw& draw);

/// Share of the slots (of `capacity`, without layout padding) that stay empty.
[[nodiscard]] double padding_fraction(const RoutingDraw& draw, const RoutingShape& shape);

/// Busiest expert over the mean, of the choices made; 1 is perfect balance.
[[nodiscard]] double expert_imbalance(const RoutingDraw& draw);

/// Expected dropped_fraction of a uniform top-1 router: E[max(0, X - C)] * E / S with X binomial
/// (S tokens, probability 1/E), S = group_tokens, C = capacity. Exact; cost O(S).
[[nodiscard]] double expected_dropped_fraction(std::int64_t group_tokens, int num_experts,
                                               std::int64_t capacity);

}  // namespace switchyard
