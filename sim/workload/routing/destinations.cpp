#include "sim/workload/routing/destinations.hpp"

#include "sim/workload/routing/inclusion_probabilities.hpp"
#include "sim/workload/routing/router.hpp"

namespace switchyard {

std::vector<Destinations> destinations_of(const RoutingSpec& spec, const RoutingShape& shape,
                                          const RoutingStream& stream, int ranks_per_node) {
  if (spec.placement.kind != PlacementKind::kReplicated || spec.gate.expert_choice) {
    const std::vector<double> alike(static_cast<std::size_t>(shape.num_experts), 1.0);
    return {{.placement = place_experts(spec.placement, alike, shape.num_ranks),
             .ranks_per_node = ranks_per_node}};
  }
  const Router router{spec,
                      {.num_experts = shape.num_experts,
                       .num_layers = shape.num_layers,
                       .num_ranks = shape.num_ranks,
                       .tokens_per_rank = shape.groups_per_rank * shape.group_tokens},
                      stream};
  std::vector<Destinations> destinations;
  for (int layer = 0; layer < shape.num_layers; ++layer)
    destinations.push_back(
        {.placement = place_experts(
             spec.placement, inclusion_probabilities(router.popularity(layer), spec.gate.top_k),
             shape.num_ranks),
         .ranks_per_node = ranks_per_node});
  return destinations;
}

}  // namespace switchyard
