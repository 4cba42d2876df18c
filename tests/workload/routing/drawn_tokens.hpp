#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sim/workload/routing/router.hpp"

namespace switchyard::testing {

/// The choices of one rank's tokens by layer, drawn in one block.
inline std::vector<TokenChoices> draw_layers(const RoutingSpec& spec, const RouterShape& shape,
                                             bool with_gates = false,
                                             const RoutingStream& stream = {.seed = 1},
                                             int rank = 0) {
  const Router router{spec, shape, stream};
  RankTokens tokens{router, rank, with_gates};
  std::vector<TokenChoices> layers(static_cast<std::size_t>(shape.num_layers));
  for (int layer = 0; layer < shape.num_layers; ++layer)
    tokens.draw(layer, shape.tokens_per_rank, layers[static_cast<std::size_t>(layer)]);
  return layers;
}

inline TokenChoices draw_tokens(const RoutingSpec& spec, int num_experts, std::int64_t num_tokens,
                                bool with_gates = false,
                                const RoutingStream& stream = {.seed = 1}) {
  return draw_layers(spec, {.num_experts = num_experts, .tokens_per_rank = num_tokens}, with_gates,
                     stream)
      .front();
}

inline std::int32_t choice(const TokenChoices& choices, std::size_t token, int place) {
  return choices.experts[token * static_cast<std::size_t>(choices.num_choices) +
                         static_cast<std::size_t>(place)];
}

inline double gate(const TokenChoices& choices, std::size_t token, int place) {
  return choices.gates[token * static_cast<std::size_t>(choices.num_choices) +
                       static_cast<std::size_t>(place)];
}

/// Share of the tokens for which `predicate(token)` holds.
template <class Predicate>
double share_of_tokens(const TokenChoices& choices, Predicate predicate) {
  double count = 0;
  for (std::size_t t = 0; t < choices.num_tokens(); ++t) count += predicate(t) ? 1 : 0;
  return count / static_cast<double>(choices.num_tokens());
}

/// Share of the tokens whose choice at `place` is `expert`.
inline double frequency(const TokenChoices& choices, int place, std::int32_t expert) {
  return share_of_tokens(choices,
                         [&](std::size_t t) { return choice(choices, t, place) == expert; });
}

/// Five standard errors of the frequency of an event of that probability in independent trials, and
/// what adding up shares may round.
inline double five_errors(double probability, std::size_t trials) {
  const double variance = std::max(0.0, probability * (1.0 - probability));
  return 5.0 * std::sqrt(variance / static_cast<double>(trials)) + 1e-9;
}

inline void expect_frequency(double frequency, double probability, std::size_t trials) {
  EXPECT_NEAR(frequency, probability, five_errors(probability, trials));
}

/// A router of exactly these shares.
inline FixedRouter given(std::vector<double> weights) {
  return {.popularity = GivenPopularity{.weights = std::move(weights)}};
}

inline RoutingSpec top_k_of(RouterSpec router, int top_k) {
  return {.router = std::move(router), .gate = {.top_k = top_k}, .slots = {}};
}

/// A recorded trace of 5 tokens, 2 layers, 2 choices: expert token + 2 layer, then the next one.
inline std::shared_ptr<const RoutingTrace> small_trace() {
  RoutingTrace trace{
      .num_tokens = 5, .num_layers = 2, .num_choices = 2, .num_experts = 8, .experts = {}};
  for (std::int32_t token = 0; token < 5; ++token)
    for (std::int32_t layer = 0; layer < 2; ++layer)
      for (std::int32_t place = 0; place < 2; ++place)
        trace.experts.push_back(token + 2 * layer + place);
  return std::make_shared<const RoutingTrace>(std::move(trace));
}

}  // namespace switchyard::testing
