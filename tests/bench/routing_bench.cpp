#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/workload/routing/router.hpp"

namespace switchyard {
namespace {

constexpr RouterShape kMillion{.num_experts = 2048, .num_ranks = 64, .tokens_per_rank = 16'384};
constexpr std::int64_t kGroupTokens = 1024;

RoutingSpec top_k_of(RouterSpec router, int top_k) {
  return {.router = std::move(router), .gate = {.top_k = top_k}, .slots = {}};
}

/// Every token of all ranks, group by group; the router is built anew each time, as in a run.
void draw_all(benchmark::State& state, const RoutingSpec& spec, const RouterShape& shape,
              bool with_gates = false) {
  TokenChoices choices;
  std::int64_t sum = 0;
  for (auto _ : state) {
    const Router router{spec, shape, {.seed = 1}};
    for (int rank = 0; rank < shape.num_ranks; ++rank) {
      RankTokens tokens{router, rank, with_gates};
      for (std::int64_t begin = 0; begin < shape.tokens_per_rank; begin += kGroupTokens)
        for (int layer = 0; layer < shape.num_layers; ++layer) {
          tokens.draw(layer, kGroupTokens, choices);
          sum += choices.experts.back();
        }
    }
  }
  benchmark::DoNotOptimize(sum);
  const std::int64_t num_choices = shape.num_ranks * shape.tokens_per_rank * shape.num_layers *
                                   (spec.gate.top_k + spec.slots.reroute_attempts);
  state.SetItemsProcessed(state.iterations() * num_choices);
}

/// A million tokens, two choices each of 2048 experts, by kind of router.
void draw_million_tokens(benchmark::State& state, const RouterSpec& router) {
  draw_all(state, top_k_of(router, 2), kMillion);
}
BENCHMARK_CAPTURE(draw_million_tokens, uniform, FixedRouter{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_million_tokens, lognormal, FixedRouter{LognormalPopularity{0.5}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_million_tokens, zipf, FixedRouter{ZipfPopularity{1.2}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_million_tokens, temporal,
                  TemporalRouter{{{.layer = 0, .first_tilt = 1.0, .second_tilt = -0.5}}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_million_tokens, domains, DomainRouter{.domain_weights = {1, 1, 1, 1}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_million_tokens, correlated, LayerCorrelatedRouter{})
    ->Unit(benchmark::kMillisecond);

/// One expert has all but a millionth: the second choice is drawn by search.
void draw_one_hot_expert(benchmark::State& state) {
  std::vector<double> weights(2048, 1e-6 / 2047);
  weights.front() = 1.0 - 1e-6;
  draw_all(state, top_k_of(FixedRouter{GivenPopularity{weights}}, 2), kMillion);
}
BENCHMARK(draw_one_hot_expert)->Unit(benchmark::kMillisecond);

void draw_with_gates(benchmark::State& state) {
  draw_all(state, top_k_of(FixedRouter{LognormalPopularity{0.5}}, 2), kMillion, true);
}
BENCHMARK(draw_with_gates)->Unit(benchmark::kMillisecond);

/// The softmax over all experts needs a number for each expert and token.
void draw_with_gates_of_all_experts(benchmark::State& state) {
  RoutingSpec spec = top_k_of(FixedRouter{LognormalPopularity{0.5}}, 1);
  spec.gate.renormalized = false;
  draw_all(state, spec, {.num_experts = 2048, .tokens_per_rank = 16'384}, true);
}
BENCHMARK(draw_with_gates_of_all_experts)->Unit(benchmark::kMillisecond);

/// DeepSeek-V3: 8 of 256 experts within 4 of 8 nodes; the argument is the number of experts.
void draw_node_limited(benchmark::State& state) {
  RoutingSpec spec = top_k_of(FixedRouter{LognormalPopularity{0.2}}, 8);
  spec.gate.expert_groups = 8;
  spec.gate.groups_per_token = 4;
  draw_all(state, spec,
           {.num_experts = static_cast<int>(state.range(0)), .tokens_per_rank = 16'384});
}
BENCHMARK(draw_node_limited)->Arg(256)->Arg(2048)->Unit(benchmark::kMillisecond);

/// Tables of 60 layers after 10,000 steps of balancing.
void build_balanced_router(benchmark::State& state) {
  const RoutingSpec spec =
      top_k_of(LearnedRouter{.lognormal_sigma = 0.5, .bias_balancing = BiasBalancing{}}, 8);
  const RouterShape shape{.num_experts = 256, .num_layers = 60};
  for (auto _ : state) benchmark::DoNotOptimize(Router{spec, shape, {.seed = 1}}.popularity(0));
}
BENCHMARK(build_balanced_router)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace switchyard
