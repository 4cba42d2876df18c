#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/core/random.hpp"
#include "sim/workload/routing/expert_shares.hpp"
#include "sim/workload/routing/node_limit.hpp"
#include "sim/workload/routing/router.hpp"

namespace switchyard {

// What Router prepares and RankTokens reads; included by these two only.

struct RouterState {
  RouterState(const RoutingSpec& routing, const RouterShape& sizes, const RoutingStream& numbers);

  RoutingSpec spec;
  RouterShape shape;
  RoutingStream stream;
  int num_choices = 0;  ///< top_k and attempts to reroute

  /// By layer; of a domain router num_domains for each layer. Empty for a trace.
  std::vector<ExpertShares> shares;
  /// Parallel to `shares` where the gate limits the groups, else empty.
  std::vector<GroupedShares> groups;
  std::vector<LayerMemory> memories;  ///< by layer; of a temporal router
  /// (layers, experts): the expert that follows one of the layer below; of a correlated router.
  std::vector<std::vector<std::int32_t>> followers;
  std::size_t num_domains = 1;
  std::optional<Categorical> domain;  ///< of a domain router

  [[nodiscard]] std::size_t shares_index(int layer, std::size_t a_domain = 0) const {
    return static_cast<std::size_t>(layer) * num_domains + a_domain;
  }
};

/// Aborts where the spec is impossible for the sizes: see Router.
void check_router(const RoutingSpec& spec, const RouterShape& shape);

/// The recorded token that `rank` deals first in a draw.
[[nodiscard]] std::int64_t first_trace_token(const RoutingTrace& trace, const RouterShape& shape,
                                             std::uint64_t draw, int rank);

}  // namespace switchyard
