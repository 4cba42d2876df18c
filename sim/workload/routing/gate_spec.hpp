#pragma once

namespace switchyard {

/// Whether a top-2 gate uses a token's second choice. Source: Mesh TensorFlow, transformer/moe.py,
/// `_top_2_gating` (second_policy).
enum class SecondChoice {
  kAlways,     ///< "all"
  kThreshold,  ///< where its gate exceeds the threshold
  kRandom,     ///< with probability gate / threshold, at most 1
  kNever,      ///< "none"
};

/// Which experts a token is sent to, given its logits.
///
/// The gate of a choice is the softmax of sharpness * logit, over the chosen experts where
/// `renormalized`, else over all.
struct GateSpec {
  int top_k = 1;
  SecondChoice second_choice = SecondChoice::kAlways;
  double second_threshold = 0.2;
  bool renormalized = true;  ///< false costs O(experts) for each token where gates are needed
  double sharpness = 1.0;
  /// Noise on the router's input, uniform in 1 +- jitter: adds a normal number of standard
  /// deviation jitter / sqrt(3) * (standard deviation of logits) to each logit before the choice.
  /// Taken as that of a Gumbel number, pi / sqrt(6); only the choices needed and four more are
  /// reordered, so for a jitter well below 1. Not with a trace or expert groups.
  double jitter = 0.0;
  /// Node-limited routing (DeepSeek-V3): experts lie in `expert_groups` equal groups, contiguous; a
  /// token uses the `groups_per_token` groups with the largest sums of their two best sigmoid
  /// scores, then its top_k experts within. expert_groups 1: no limit. For fixed, learned and
  /// domain routers, with renormalized gates.
  int expert_groups = 1;
  int groups_per_token = 1;
  /// Experts choose tokens instead: each takes its capacity of the tokens of a scope.
  /// Source: Zhou et al., "Mixture-of-Experts with Expert Choice Routing", NeurIPS 2022.
  bool expert_choice = false;
};

}  // namespace switchyard
