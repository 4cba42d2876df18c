#include "sim/workload/routing/routing_study.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "sim/core/error.hpp"
#include "sim/workload/routing/destinations.hpp"
#include "sim/workload/routing/expected_drops.hpp"
#include "sim/workload/routing/reuse_distance.hpp"
#include "sim/workload/routing/router.hpp"

namespace switchyard {
namespace {

constexpr double RoutingSample::*kFields[] = {&RoutingSample::dropped_fraction,
                                              &RoutingSample::dropped_fraction_worst_rank,
                                              &RoutingSample::tokens_without_expert_fraction,
                                              &RoutingSample::padding_fraction,
                                              &RoutingSample::expert_imbalance,
                                              &RoutingSample::rank_imbalance,
                                              &RoutingSample::experts_touched,
                                              &RoutingSample::choices_per_token,
                                              &RoutingSample::sent_choices_fraction,
                                              &RoutingSample::sent_per_rank_fraction,
                                              &RoutingSample::sent_per_node_fraction};

double over(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Elements off the diagonal: what leaves its rank.
std::int64_t off_diagonal(const TokenCounts& counts) {
  return counts.sum() - counts.matrix().diagonal().sum();
}

std::int64_t leaving_node(const TokenCounts& tokens_to_node, int ranks_per_node) {
  std::int64_t sum = tokens_to_node.sum();
  for (Eigen::Index rank = 0; rank < tokens_to_node.rows(); ++rank)
    sum -= tokens_to_node(rank, rank / ranks_per_node);
  return sum;
}

std::vector<double> sorted_loads(const RoutingDraw& draw) {
  const auto by_expert = draw.routed.colwise().sum().eval();
  const double mean_load =
      static_cast<double>(by_expert.sum()) / static_cast<double>(by_expert.size());
  std::vector<double> loads;
  for (const std::int64_t load : by_expert)
    loads.push_back(mean_load == 0 ? 1.0 : static_cast<double>(load) / mean_load);
  std::ranges::sort(loads, std::greater{});
  return loads;
}

RoutingShape with_capacity(const RoutingStudySpec& spec, const CapacitySpec& capacity) {
  RoutingShape shape = spec.shape;
  shape.num_experts = capacity.num_experts;
  const std::int64_t ranks =
      spec.routing.slots.scope == SlotScope::kGlobal ? shape.num_ranks * shape.groups_per_rank : 1;
  shape.capacity = expert_capacity(shape.group_tokens * ranks, capacity);
  return shape;
}

double mean_dropped(const std::vector<RoutingDraw>& draws) {
  double sum = 0;
  for (const RoutingDraw& draw : draws) sum += dropped_fraction(draw);
  return sum / static_cast<double>(draws.size());
}

RoutingStream stream_of(const RoutingStudySpec& spec, std::uint64_t draw) {
  return {.seed = spec.seed, .stack = spec.stack, .draw = draw};
}

}  // namespace

RoutingSample routing_sample(const RoutingDraw& draw, const RoutingShape& shape, SlotScope scope,
                             int ranks_per_node) {
  const std::int64_t kept = draw.kept.sum();
  return {.dropped_fraction = dropped_fraction(draw),
          .dropped_fraction_worst_rank = std::ranges::max(dropped_fraction_by_rank(draw)),
          .tokens_without_expert_fraction = over(draw.tokens_without_expert, draw.num_tokens),
          .padding_fraction = padding_fraction(draw, shape, scope),
          .expert_imbalance = expert_imbalance(draw),
          .rank_imbalance = rank_imbalance(draw),
          .experts_touched = static_cast<double>(experts_touched(draw)),
          .choices_per_token = over(draw.routed.sum(), draw.num_tokens),
          .sent_choices_fraction = over(off_diagonal(draw.choices_to_rank), kept),
          .sent_per_rank_fraction = over(off_diagonal(draw.tokens_to_rank), kept),
          .sent_per_node_fraction = over(leaving_node(draw.tokens_to_node, ranks_per_node), kept)};
}

RoutingSample mean(const std::vector<RoutingSample>& samples) {
  SWITCHYARD_CHECK(!samples.empty(), "the mean of no samples");
  RoutingSample result;
  for (const auto field : kFields) {
    double sum = 0;
    for (const RoutingSample& sample : samples) sum += sample.*field;
    result.*field = sum / static_cast<double>(samples.size());
  }
  return result;
}

RoutingDrawSample study_draw(const RoutingStudySpec& spec, std::uint64_t draw) {
  const std::vector<Destinations> destinations =
      destinations_of(spec.routing, spec.shape, stream_of(spec, draw), spec.ranks_per_node);
  const std::vector<RoutingDraw> layers =
      draw_routing(spec.routing, spec.shape, stream_of(spec, draw), destinations);

  RoutingDrawSample sample;
  sample.sorted_loads.assign(static_cast<std::size_t>(spec.shape.num_experts), 0.0);
  for (const RoutingDraw& layer : layers) {
    sample.layers.push_back(
        routing_sample(layer, spec.shape, spec.routing.slots.scope, spec.ranks_per_node));
    const std::vector<double> loads = sorted_loads(layer);
    for (std::size_t e = 0; e < loads.size(); ++e)
      sample.sorted_loads[e] += loads[e] / static_cast<double>(layers.size());
  }
  sample.total = mean(sample.layers);

  CapacitySpec capacity = spec.capacity;
  for (const double factor : spec.capacity_factors) {
    capacity.capacity_factor = factor;
    sample.dropped_at_capacity_factor.push_back(mean_dropped(
        draw_routing(spec.routing, with_capacity(spec, capacity), stream_of(spec, draw))));
  }
  capacity = spec.capacity;
  for (const int experts : spec.expert_counts) {
    capacity.num_experts = experts;
    sample.dropped_at_expert_count.push_back(mean_dropped(
        draw_routing(spec.routing, with_capacity(spec, capacity), stream_of(spec, draw))));
  }
  return sample;
}

double expected_drops(const RoutingStudySpec& spec, double capacity_factor) {
  CapacitySpec capacity = spec.capacity;
  capacity.capacity_factor = capacity_factor;
  const RoutingShape shape = with_capacity(spec, capacity);
  const Router router{spec.routing,
                      {.num_experts = shape.num_experts,
                       .num_layers = shape.num_layers,
                       .num_ranks = shape.num_ranks,
                       .tokens_per_rank = shape.groups_per_rank * shape.group_tokens},
                      stream_of(spec, 0)};
  const bool is_global = spec.routing.slots.scope == SlotScope::kGlobal;
  const std::int64_t tokens =
      shape.group_tokens * (is_global ? shape.num_ranks * shape.groups_per_rank : 1);
  double sum = 0;
  for (int layer = 0; layer < shape.num_layers; ++layer)
    sum += expected_dropped_fraction(tokens, router.popularity(layer), spec.routing.gate.top_k,
                                     shape.capacity);
  return sum / shape.num_layers;
}

LocalityStudy study_locality(const RoutingStudySpec& spec, std::int64_t num_tokens,
                             int max_distance) {
  LocalityStudy study;
  const int experts = spec.shape.num_experts;
  const int layers = spec.shape.num_layers;
  for (int cached = 1; cached < experts; cached *= 2) {
    study.cached_experts.push_back(cached);
    for (const CachePolicy policy : {CachePolicy::kLru, CachePolicy::kLeastStale})
      (policy == CachePolicy::kLru ? study.lru_hit_rate : study.least_stale_hit_rate)
          .push_back(expert_cache(spec.routing, experts, layers, num_tokens, stream_of(spec, 0),
                                  {.policy = policy, .experts_per_layer = cached})
                         .mean_hit_rate);
  }
  std::vector<double> counts(static_cast<std::size_t>(max_distance), 0.0);
  for (int layer = 0; layer < layers; ++layer) {
    const std::vector<std::int64_t> distances = reuse_distances(
        spec.routing, experts, layers, layer, num_tokens, stream_of(spec, 0), max_distance);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += static_cast<double>(distances[i]);
  }
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  for (double& count : counts) count = total == 0 ? 0.0 : count / total;
  study.reuse_distance_fraction = std::move(counts);
  return study;
}

}  // namespace switchyard
