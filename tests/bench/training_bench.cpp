#include <benchmark/benchmark.h>

#include "sim/engine/training_run.hpp"
#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;

/// Switch-Base with 128 experts on 32 TPUv3 cores: a row of table 1.
TrainingRunSpec table1_row() {
  TrainingRunSpec run;
  run.system.network = torus_of({4, 4}, {.bandwidth = 656_Gbps, .latency = 1_us}, 2);
  DeviceProfile& device = run.system.device;
  device.peak_bfloat16 = 61.5_TFLOPps;
  device.memory_bandwidth = 450_GBps;
  device.memory_capacity = 16_GiB;
  device.matmul_tile = {.rows = 8, .minimum_rows = 128, .contraction = 128, .columns = 128};
  device.memory_tile = {.rows = 8, .columns = 128};
  TrainingStepSpec& step = run.step;
  step.model = {.name = "switch-base",
                .num_encoder_layers = 12,
                .num_decoder_layers = 12,
                .d_model = 768,
                .d_ff = 3072,
                .num_heads = 12,
                .num_kv_heads = 12,
                .d_head = 64,
                .vocabulary = 32128,
                .moe = {.num_experts = 128, .top_k = 1, .layer_period = 2}};
  step.lengths = {.input_tokens = 512, .target_tokens = 114};
  step.sequences = 1024;
  step.microbatch_sequences = 4;
  step.num_ranks = 32;
  step.moe.group_tokens = 8192;
  run.draws = 0;
  return run;
}

void build_step(benchmark::State& state) {
  const TrainingRunSpec run = table1_row();
  for (auto _ : state) benchmark::DoNotOptimize(build_training_step(run.step));
}
BENCHMARK(build_step);

void simulate(benchmark::State& state, EngineKind engine) {
  if (engine == EngineKind::kSimGrid && !has_simgrid()) {
    state.SkipWithError("this build has no SimGrid");
    return;
  }
  const TrainingRunSpec run = table1_row();
  for (auto _ : state) benchmark::DoNotOptimize(simulate_training(run, engine));
}
BENCHMARK_CAPTURE(simulate, analytic, EngineKind::kAnalytic)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate, simgrid, EngineKind::kSimGrid)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace switchyard
