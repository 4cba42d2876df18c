#include <sys/resource.h>

#include <benchmark/benchmark.h>

#include "sim/engine/backends.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/flow_set.hpp"
#include "sim/engine/round_times.hpp"
#include "tests/engine/random_flows.hpp"

namespace switchyard {
namespace {

using namespace literals;
using testing::lognormal_all_to_all;
using testing::plain_torus;

/// The most memory that this process has held so far, so of the largest benchmark up to here: run
/// one alone, with --benchmark_filter, to see its own.
double peak_MiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void report(benchmark::State& state, const FlowTimes& times) {
  state.counters["steps"] = times.num_steps;
  state.counters["over_bound"] = times.makespan / times.bound - 1;
  state.counters["peak_MiB"] = peak_MiB();
}

int side(const benchmark::State& state) { return static_cast<int>(state.range(0)); }

/// All pairs with independent log-normal sizes on a square torus; every flow has its own end.
void exact_irregular(benchmark::State& state) {
  const Topology topology = build_torus(plain_torus(side(state), side(state)));
  const auto flows = lognormal_all_to_all(side(state) * side(state), 0.5, 1);
  for (auto _ : state) report(state, exact_times(make_flow_set(topology, flows)));
}
BENCHMARK(exact_irregular)->Arg(8)->Arg(12)->Arg(16)->Unit(benchmark::kMillisecond)->Iterations(1);

void grouped_irregular(benchmark::State& state) {
  const Topology topology = build_torus(plain_torus(side(state), side(state)));
  const auto flows = lognormal_all_to_all(side(state) * side(state), 0.5, 1);
  for (auto _ : state) report(state, grouped_times(make_flow_set(topology, flows)));
}
BENCHMARK(grouped_irregular)
    ->Arg(8)
    ->Arg(16)
    ->Arg(32)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

/// Equal sizes, flow by flow, building the paths included.
void exact_uniform(benchmark::State& state) {
  const Topology topology = build_torus(plain_torus(side(state), side(state)));
  const auto flows = lognormal_all_to_all(side(state) * side(state), 0.0, 1);
  for (auto _ : state) report(state, exact_times(make_flow_set(topology, flows)));
}
BENCHMARK(exact_uniform)->Arg(16)->Arg(32)->Unit(benchmark::kMillisecond);

void all_pairs(benchmark::State& state, bool use_symmetry, Seconds latency) {
  TorusSpec torus = plain_torus(side(state), side(state), latency);
  torus.ranks_per_router = static_cast<int>(state.range(1));
  Topology topology = build_torus(torus);
  if (!use_symmetry) topology.symmetry.reset();
  const Round round{.all_pairs = AllPairs{1_MB}};
  RoundTimes times;
  for (auto _ : state) times = round_times(round, topology);
  state.SetLabel(std::string{method_name(times.method)});
  state.counters["over_bound"] = times.makespan / times.bound - 1;
  state.counters["peak_MiB"] = peak_MiB();
}
BENCHMARK_CAPTURE(all_pairs, symmetry, true, 0_us)
    ->Args({8, 1})
    ->Args({16, 1})
    ->Args({32, 1})
    ->Args({32, 2})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(all_pairs, symmetry_with_latency, true, 1_us)
    ->Args({8, 1})
    ->Args({16, 1})
    ->Args({32, 1})
    ->Args({32, 2})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(all_pairs, refinement, false, 0_us)
    ->Args({8, 1})
    ->Args({16, 1})
    ->Args({32, 1})
    ->Unit(benchmark::kMillisecond);

/// All-reduce of 64 MB by 2 (n - 1) rounds of a ring, through the whole engine.
void ring_all_reduce(benchmark::State& state) {
  const int columns = static_cast<int>(state.range(0));
  const int rows = static_cast<int>(state.range(1));
  const int ranks = columns * rows;
  const Topology topology = build_torus(plain_torus(columns, rows));
  Round round{.repeat = 2 * (ranks - 1)};
  for (int rank = 0; rank < ranks; ++rank)
    round.flows.push_back({RankId{rank}, RankId{(rank + 1) % ranks}, 64_MB / ranks});
  TaskGraph graph;
  graph.schedules.push_back({.algorithm = "ring", .rounds = {round}});
  graph.tasks.emplace_back().schedule = 0;
  for (auto _ : state) benchmark::DoNotOptimize(fluid_spans(graph, topology));
  state.SetItemsProcessed(state.iterations() * ranks * round.repeat);
  state.counters["peak_MiB"] = peak_MiB();
}
BENCHMARK(ring_all_reduce)
    ->Args({8, 8})
    ->Args({16, 16})
    ->Args({32, 32})
    ->Args({64, 32})
    ->Unit(benchmark::kMillisecond);

/// Every flow of a uniform all-to-all in the network, with latencies: nothing is served.
void all_pairs_flow_by_flow(benchmark::State& state) {
  const Topology topology = build_torus(plain_torus(side(state), side(state), 1_us));
  TaskGraph graph;
  graph.schedules.push_back({.algorithm = "all pairs", .rounds = {{.all_pairs = AllPairs{1_MB}}}});
  graph.tasks.emplace_back().schedule = 0;
  for (auto _ : state) benchmark::DoNotOptimize(fluid_spans(graph, topology, ServeRounds::kNo));
}
BENCHMARK(all_pairs_flow_by_flow)->Arg(8)->Arg(16)->Unit(benchmark::kMillisecond);

/// Forty layers of two all-to-alls and an expert, as in a training step.
void layers_of_all_to_alls(benchmark::State& state) {
  TorusSpec torus = plain_torus(side(state), side(state), 1_us);
  torus.ranks_per_router = static_cast<int>(state.range(1));
  const Topology topology = build_torus(torus);
  TaskGraph graph;
  graph.schedules.push_back({.algorithm = "all pairs", .rounds = {{.all_pairs = AllPairs{1_kB}}}});
  for (int k = 0; k < 120; ++k) {
    Task& task = graph.tasks.emplace_back();
    if (k > 0) task.dependencies.emplace_back(k - 1);
    if (k % 3 == 1)
      task.duration = 1_ms;
    else
      task.schedule = 0;
  }
  for (auto _ : state) benchmark::DoNotOptimize(execute(EngineKind::kFluid, graph, topology));
  state.counters["peak_MiB"] = peak_MiB();
}
BENCHMARK(layers_of_all_to_alls)
    ->Args({8, 1})
    ->Args({16, 2})
    ->Args({32, 2})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace switchyard
