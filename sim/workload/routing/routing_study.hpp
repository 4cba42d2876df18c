#pragma once

#include <cstdint>
#include <vector>

#include "sim/core/percentiles.hpp"
#include "sim/workload/routing/capacity.hpp"
#include "sim/workload/routing/expert_cache.hpp"
#include "sim/workload/routing/routing_draw.hpp"

namespace switchyard {

/// What is to be learned about the routing of one stack.
struct RoutingStudySpec {
  RoutingSpec routing;
  RoutingShape shape;     ///< its capacity is that of `capacity` below, or kUnlimitedSlots
  CapacitySpec capacity;  ///< for other capacity factors and numbers of experts
  int ranks_per_node = 1;
  std::uint64_t seed = 0;
  std::uint64_t stack = 0;
  std::vector<double> capacity_factors{};  ///< at which drops are counted as well
  std::vector<int> expert_counts{};        ///< the same, at the capacity factor of `capacity`
};

/// Mean over the MoE layers, or one layer, of one draw.
struct RoutingSample {
  double dropped_fraction = 0;
  double dropped_fraction_worst_rank = 0;
  double tokens_without_expert_fraction = 0;
  double padding_fraction = 0;
  double expert_imbalance = 1;
  double rank_imbalance = 1;
  double experts_touched = 0;
  double choices_per_token = 0;  ///< made, whether kept or not
  /// Rows that leave a rank, over the kept choices: as they are, a token once per rank, and (rows
  /// that leave a node) a token once per node.
  double sent_choices_fraction = 0;
  double sent_per_rank_fraction = 0;
  double sent_per_node_fraction = 0;
};

/// One draw.
struct RoutingDrawSample {
  RoutingSample total;                ///< mean over layers
  std::vector<RoutingSample> layers;  ///< by MoE layer
  std::vector<double> sorted_loads;   ///< over the mean, busiest expert first; mean over layers
  std::vector<double> dropped_at_capacity_factor;
  std::vector<double> dropped_at_expert_count;
};

/// The figures of one draw of a layer. Precondition: drawn with Destinations (checked).
[[nodiscard]] RoutingSample routing_sample(const RoutingDraw& draw, const RoutingShape& shape,
                                           SlotScope scope, int ranks_per_node);

/// Element by element. Precondition: at least one (checked).
[[nodiscard]] RoutingSample mean(const std::vector<RoutingSample>& samples);

/// Draws number `draw` of the study. Draws are independent of each other, so they may run at once.
[[nodiscard]] RoutingDrawSample study_draw(const RoutingStudySpec& spec, std::uint64_t draw);

/// The expected share of dropped choices by the closed form, for the popularity of draw 0 (mean
/// over layers), tokens independent; at `capacity_factor`.
[[nodiscard]] double expected_drops(const RoutingStudySpec& spec, double capacity_factor);

/// Hit rates of caches of growing size, and how soon experts are used again, in one sequence.
struct LocalityStudy {
  std::vector<int> cached_experts;  ///< per layer: 1, 2, 4, ... below the number of experts
  std::vector<double> lru_hit_rate;
  std::vector<double> least_stale_hit_rate;
  std::vector<double> reuse_distance_fraction;  ///< share of choices by distance 1, 2, ..., more
};
[[nodiscard]] LocalityStudy study_locality(const RoutingStudySpec& spec, std::int64_t num_tokens,
                                           int max_distance);

}  // namespace switchyard
