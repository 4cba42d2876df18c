#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/workload/routing/reuse_distance.hpp"
#include "sim/workload/routing/routing_spec.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// Which expert leaves a full cache. The forward pass of a token goes through the layers in order.
enum class CachePolicy {
  /// Least recently used; every layer has a cache of its own.
  kLru,
  /// One cache for all layers. Experts that the current forward pass has not used are stale and
  /// leave before those it has: first stale ones of layers that the pass is through with (nobody
  /// asks for them before the next pass), from the lowest layer up; then stale ones of layers yet
  /// to come, from the highest layer down; then used ones, from the lowest layer up. Within a layer
  /// the least recently used leaves.
  /// Source: Hoang et al., "SpecMD: A Comprehensive Study On Speculative Expert Prefetching",
  ///         arXiv:2602.03921, 2026: the split into stale and current and the use of the known
  ///         order of layers; the exact order among stale experts is our reading of it. Without
  ///         prefetching, as here.
  kLeastStale,
};

/// A cache of experts in device memory while one sequence is decoded, token by token.
struct ExpertCacheSpec {
  CachePolicy policy = CachePolicy::kLru;
  int experts_per_layer = 2;  ///< kLru: for each layer by itself; kLeastStale: one cache of
                              ///< experts_per_layer * layers for all
};

/// What a decoded sequence finds in the cache, by layer.
struct CacheStatistics {
  std::vector<double> hit_rate;  ///< share of the choices whose expert was there; 0 of none
  double mean_hit_rate = 0;      ///< the same over all layers
};

/// Decodes a sequence: `layers` has the same tokens' choices in each MoE layer.
///
/// The cache is empty at first. The experts of a token in a layer are needed together: all that are
/// there are hits, the others are loaded, and none of them leaves for another (unless the cache
/// is smaller than their number, when the most preferred leave). The least preferred counts as the
/// most recently used.
/// Precondition: experts_per_layer at least 1, as many tokens in each layer, experts below
/// num_experts (checked). Cost: O(choices * (layers + experts_per_layer)).
[[nodiscard]] CacheStatistics expert_cache(std::span<const TokenChoices> layers, int num_experts,
                                           const ExpertCacheSpec& cache);

/// Decodes `num_tokens` tokens of rank 0 of a draw and looks up every choice of every layer.
[[nodiscard]] CacheStatistics expert_cache(const RoutingSpec& spec, int num_experts, int num_layers,
                                           std::int64_t num_tokens, const RoutingStream& stream,
                                           const ExpertCacheSpec& cache);

}  // namespace switchyard
