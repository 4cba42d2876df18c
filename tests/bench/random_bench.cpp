#include <vector>

#include <benchmark/benchmark.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

void stream_engine_creation(benchmark::State& state) {
  std::uint64_t rank = 0;
  for (auto _ : state) benchmark::DoNotOptimize(stream_engine(7, {1, ++rank}));
}
BENCHMARK(stream_engine_creation);

/// One expert per token by popularity; the argument is the number of experts.
void categorical_draw(benchmark::State& state) {
  const std::vector<double> weights(static_cast<std::size_t>(state.range(0)), 1.0);
  const Categorical expert{weights};
  auto rng = stream_engine(7, {1});
  for (auto _ : state) benchmark::DoNotOptimize(expert.draw(rng));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(categorical_draw)->Arg(128)->Arg(2048);

}  // namespace
}  // namespace switchyard
