#include "sim/workload/routing/router.hpp"

#include <numeric>
#include <span>
#include <type_traits>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/workload/routing/learned_popularity.hpp"
#include "sim/workload/routing/router_state.hpp"
#include "sim/workload/routing/routing_streams.hpp"
#include "sim/workload/routing/temporal_chain.hpp"

namespace switchyard {
namespace {

std::uint64_t id(int index) { return static_cast<std::uint64_t>(index); }

std::vector<std::int32_t> random_permutation(int size, std::mt19937_64& rng) {
  std::vector<std::int32_t> permutation(static_cast<std::size_t>(size));
  std::iota(permutation.begin(), permutation.end(), 0);
  for (std::size_t left = permutation.size(); left > 1; --left)
    std::swap(permutation[left - 1], permutation[uniform_below(left, rng)]);
  return permutation;
}

/// Shares in proportion to the products of two sets of shares.
std::vector<double> product_shares(std::span<const double> a, std::span<const double> b) {
  std::vector<double> product(a.size());
  for (std::size_t e = 0; e < a.size(); ++e) product[e] = a[e] * b[e];
  const double sum = std::accumulate(product.begin(), product.end(), 0.0);
  // Nothing in common that a double can hold: as popular as in the domain.
  if (!(sum > 0.0)) return {b.begin(), b.end()};
  for (double& share : product) share /= sum;
  return product;
}

/// Adds what one layer needs to a state.
struct PrepareLayer {
  RouterState& state;
  int layer = 0;
  std::mt19937_64 rng;

  [[nodiscard]] std::vector<double> drawn(const PopularitySpec& popularity) {
    return draw_popularity(popularity, state.shape.num_experts, rng);
  }
  void add(std::vector<double> shares) {
    if (state.spec.gate.expert_groups > 1)
      state.groups.push_back(group_shares(shares, state.spec.gate.expert_groups));
    state.shares.emplace_back(std::move(shares));
  }

  void operator()(const FixedRouter& router) { add(drawn(router.popularity)); }

  void operator()(const LearnedRouter& router) {
    add(learned_shares(router, state.shape.num_experts, layer, state.stream));
  }

  void operator()(const TemporalRouter& router) {
    state.memories.push_back(memory_of_layer(router.layers, layer));
    add(drawn(state.memories.back().popularity));
  }

  void operator()(const DomainRouter& router) {
    const std::vector<double> common = drawn(router.common);
    for (std::size_t d = 0; d < state.num_domains; ++d)
      add(product_shares(common, drawn(router.of_domain)));
  }

  void operator()(const LayerCorrelatedRouter& router) {
    // No draw among the ids: how two layers hang together belongs to the model.
    auto permutation_rng =
        stream_engine(state.stream.seed, {kPermutationStream, state.stream.stack, id(layer)});
    state.followers.push_back(random_permutation(state.shape.num_experts, permutation_rng));
    add(drawn(router.popularity));
  }

  void operator()(const TraceRouter&) {}
};

std::vector<double> counted_shares(const RoutingTrace& trace, int layer, int num_experts) {
  std::vector<double> shares(static_cast<std::size_t>(num_experts), 0.0);
  double num_counted = 0.0;
  for (std::int64_t token = 0; token < trace.num_tokens; ++token) {
    const std::int32_t expert = trace.expert(token, layer, 0);
    if (expert == kNoExpert) continue;
    shares[static_cast<std::size_t>(expert)] += 1.0;
    num_counted += 1.0;
  }
  if (num_counted > 0.0)
    for (double& share : shares) share /= num_counted;
  return shares;
}

}  // namespace

RouterState::RouterState(const RoutingSpec& routing, const RouterShape& sizes,
                         const RoutingStream& numbers)
    : spec{routing},
      shape{sizes},
      stream{numbers},
      num_choices{routing.gate.top_k + routing.slots.reroute_attempts} {
  check_router(spec, shape);
  if (const auto* domains = std::get_if<DomainRouter>(&spec.router)) {
    num_domains = domains->domain_weights.size();
    domain.emplace(domains->domain_weights);
  }
  shares.reserve(static_cast<std::size_t>(shape.num_layers) * num_domains);
  for (int layer = 0; layer < shape.num_layers; ++layer) {
    auto rng =
        stream_engine(stream.seed, {kPopularityStream, stream.stack, id(layer), stream.draw});
    std::visit(PrepareLayer{*this, layer, rng}, spec.router);
  }
}

Router::Router(const RoutingSpec& spec, const RouterShape& shape, const RoutingStream& stream)
    : state_{std::make_unique<const RouterState>(spec, shape, stream)} {}

Router::~Router() = default;

const RouterShape& Router::shape() const { return state_->shape; }

std::vector<double> Router::popularity(int layer) const {
  const RouterState& state = *state_;
  SWITCHYARD_CHECK(0 <= layer && layer < state.shape.num_layers, "layer {} of {}", layer,
                   state.shape.num_layers);
  const auto& spec = state.spec.router;
  if (const auto* replay = std::get_if<TraceRouter>(&spec))
    return counted_shares(*replay->trace, layer, state.shape.num_experts);

  const auto shares_of = [&](int a_layer, std::size_t domain) {
    return state.shares[state.shares_index(a_layer, domain)].shares();
  };
  const auto own = shares_of(layer, 0);
  std::vector<double> shares{own.begin(), own.end()};
  if (std::holds_alternative<TemporalRouter>(spec)) {
    const LayerMemory& memory = state.memories[static_cast<std::size_t>(layer)];
    return long_run_shares(own, memory, state.spec.gate.top_k);
  }
  if (const auto* domains = std::get_if<DomainRouter>(&spec)) {
    const double sum =
        std::accumulate(domains->domain_weights.begin(), domains->domain_weights.end(), 0.0);
    for (std::size_t e = 0; e < shares.size(); ++e) {
      shares[e] = 0.0;
      for (std::size_t d = 0; d < state.num_domains; ++d)
        shares[e] += domains->domain_weights[d] / sum * shares_of(layer, d)[e];
    }
  }
  if (const auto* correlated = std::get_if<LayerCorrelatedRouter>(&spec); correlated && layer > 0) {
    const auto bottom = shares_of(0, 0);
    shares.assign(bottom.begin(), bottom.end());
    for (int above = 1; above <= layer; ++above) {
      std::vector<double> next(shares.size());
      for (std::size_t e = 0; e < shares.size(); ++e) {
        next[e] += (1.0 - correlated->affinity) * shares_of(above, 0)[e];
        const std::int32_t follower = state.followers[static_cast<std::size_t>(above)][e];
        next[static_cast<std::size_t>(follower)] += correlated->affinity * shares[e];
      }
      shares = std::move(next);
    }
  }
  return shares;
}

}  // namespace switchyard
