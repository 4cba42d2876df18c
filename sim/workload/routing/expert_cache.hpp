#pragma once

#include <cstdint>
#include <vector>

#include "sim/workload/routing/routing_spec.hpp"

namespace switchyard {

enum class CachePolicy { kLru, kLeastStale };

/// A cache of experts in device memory while one sequence is decoded, token by token.
struct ExpertCacheSpec {
  CachePolicy policy = CachePolicy::kLru;
  int experts_per_layer = 2;  ///< kLru: for each layer by itself; kLeastStale: one cache of
                              ///< experts_per_layer * layers for all
};

/// What a decoded sequence finds in the cache, by layer.
struct CacheStatistics {
  std::vector<double> hit_rate;  ///< share of the choices whose expert was there
  double mean_hit_rate = 0;
};

/// Decodes `num_tokens` tokens of rank 0 of a draw and looks up every choice of every layer.
[[nodiscard]] CacheStatistics expert_cache(const RoutingSpec& spec, int num_experts, int num_layers,
                                           std::int64_t num_tokens, const RoutingStream& stream,
                                           const ExpertCacheSpec& cache);

/// Tokens since the same expert was last used in the layer (1: by the token before), over all
/// choices: element i counts distance i + 1, the last element all from there on. First uses are not
/// counted.
[[nodiscard]] std::vector<std::int64_t> reuse_distances(const RoutingSpec& spec, int num_experts,
                                                        int num_layers, int layer,
                                                        std::int64_t num_tokens,
                                                        const RoutingStream& stream,
                                                        int max_distance);

}  // namespace switchyard
