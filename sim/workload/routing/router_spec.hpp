#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/workload/routing/popularity.hpp"
#include "sim/workload/routing/routing_trace.hpp"

namespace switchyard {

// How the router of each MoE layer comes to its choices: which experts it likes, and what a token's
// choice has to do with that of the token before, with its text, with the layer below.
//
// One theory is behind all of them: the logit of expert e is log(popularity of e) plus an
// independent Gumbel number for each token and expert. So first choices fall on experts by
// popularity, and further choices as if the chosen experts were taken out (Plackett, "The Analysis
// of Permutations", 1975; Luce, "Individual Choice Behavior", 1959).

/// Popularity drawn for each layer and draw; tokens independent.
struct FixedRouter {
  PopularitySpec popularity = UniformPopularity{};
};

/// Balancing by a bias on the logits that only chooses (DeepSeek-V3): after each step the bias of
/// an expert with more than the mean load falls by `update`, of one with less it rises.
/// Source: Wang et al., "Auxiliary-Loss-Free Load Balancing", arXiv:2408.15664, 2024. There the
///         bias is on sigmoid scores, here on logits (a simplification).
struct BiasBalancing {
  double update = 0.001;  ///< logits per step
  int steps = 10'000;     ///< made before the draw
};

/// A balanced router in training: log-normal popularity whose sigma differs by layer and whose
/// logarithm drifts over steps as an autoregressive process of the first order, draw by draw.
struct LearnedRouter {
  /// The default is fitted to published loads of routers trained with an auxiliary loss; balanced
  /// by a bias they lie like 0.018 (docs/routing_calibration.md).
  double lognormal_sigma = 0.23;
  /// Standard deviation of the logarithm of a layer's own sigma; 0: all layers alike.
  double layer_spread = 0.0;
  /// Steps in which the correlation of log-popularity with itself falls to 1/e; 0: draws are
  /// independent of each other.
  double drift_steps = 0.0;
  double steps_between_draws = 1.0;
  std::optional<BiasBalancing> bias_balancing{};
};

/// Tilts of one layer's choices by what the token before it in the sequence chose: the weight of
/// its first choice is popularity * (1 + first_tilt), of its second popularity * (1 + second_tilt).
/// 0 is no memory, negative is avoidance; at least -1. What a token chose is its order of
/// preference among top_k, whether or not the gate then used the second; the first token of a rank
/// has no memory.
struct LayerMemory {
  int layer = 0;  ///< MoE layer of the stack, from 0
  PopularitySpec popularity = UniformPopularity{};
  double first_tilt = 0.0;
  double second_tilt = 0.0;
};

/// Temporal locality: a Markov chain over tokens. Layers between two of the list take the tilts
/// interpolated linearly by layer and the popularity of the nearer one (the lower in a tie); those
/// outside take the nearest.
struct TemporalRouter {
  std::vector<LayerMemory> layers;  ///< at least one, by ascending layer
};

/// Texts of several domains: each sequence belongs to one, and every source rank has sequences of
/// its own. A domain's weights are those of `common` times its own draw of `of_domain`.
struct DomainRouter {
  std::vector<double> domain_weights;  ///< how often a sequence is of each domain
  PopularitySpec common = UniformPopularity{};
  PopularitySpec of_domain = LognormalPopularity{.sigma = 0.5};
  std::int64_t sequence_tokens = 2048;
};

/// Choices correlated across layers: each choice of a token follows, with probability `affinity`,
/// the same choice of the layer below through a fixed permutation of experts (drawn for each pair
/// of layers); else it is drawn by popularity.
struct LayerCorrelatedRouter {
  PopularitySpec popularity = UniformPopularity{};
  double affinity = 0.5;  ///< 0 to 1
};

/// Recorded choices, dealt to source ranks in order: rank r of a layer takes the r-th share of
/// tokens. Draw i begins where draw i - 1 ended; at its end the trace begins anew.
struct TraceRouter {
  std::shared_ptr<const RoutingTrace> trace;  ///< shared: specs are copied, traces are large
  std::string file{};                         ///< where it was read
};

using RouterSpec = std::variant<FixedRouter, LearnedRouter, TemporalRouter, DomainRouter,
                                LayerCorrelatedRouter, TraceRouter>;

}  // namespace switchyard
