#include <benchmark/benchmark.h>

#include "sim/engine/training_run.hpp"
#include "sim/workload/partition/presets.hpp"
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
  step.partition = expert_data_partition(32);
  step.moe.group_tokens = 8192;
  run.draws = 0;
  return run;
}

/// Switch-C on 2048 cores, each rank's timeline by itself: the target is 2 s.
TrainingRunSpec switch_c() {
  TrainingRunSpec run = table1_row();
  run.system.network = torus_of({32, 32}, {.bandwidth = 656_Gbps, .latency = 1_us}, 2);
  run.step.model.num_encoder_layers = 15;
  run.step.model.num_decoder_layers = 15;
  run.step.model.d_model = 2080;
  run.step.model.d_ff = 6144;
  run.step.model.num_heads = 32;
  run.step.model.num_kv_heads = 32;
  run.step.model.moe = {.num_experts = 2048, .top_k = 1, .layer_period = 1};
  run.step.partition = expert_data_partition(2048);
  run.step.sequences = 8192;
  run.step.recompute = Recompute::kFull;
  run.step.moe = {.capacity_factor = 1.0, .group_tokens = 2048, .minimum_capacity = 2};
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
void simulate_switch_c(benchmark::State& state, EngineKind engine) {
  const TrainingRunSpec run = switch_c();
  for (auto _ : state) benchmark::DoNotOptimize(simulate_training(run, engine));
}
BENCHMARK_CAPTURE(simulate_switch_c, analytic, EngineKind::kAnalytic)
    ->Unit(benchmark::kMillisecond);
/// One rank for all: the target is 0.1 s.
void simulate_switch_c_folded(benchmark::State& state) {
  TrainingRunSpec run = switch_c();
  run.folding = Folding::kOneForAll;
  for (auto _ : state) benchmark::DoNotOptimize(simulate_training(run, EngineKind::kAnalytic));
}
BENCHMARK(simulate_switch_c_folded)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_switch_c, fluid, EngineKind::kFluid)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate, simgrid, EngineKind::kSimGrid)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// An H100 of the catalog's nodes.
DeviceProfile h100() {
  return {.name = "h100",
          .peak_bfloat16 = 989.5_TFLOPps,
          .memory_bandwidth = 3350_GBps,
          .memory_capacity = 80_GB,
          .memory_usable = 0.9,
          .matmul_tile = {.rows = 128, .minimum_rows = 128, .contraction = 32, .columns = 128},
          .memory_tile = {},
          .matmul_efficiency = {.value = 0.8},
          .memory_efficiency = {.value = 0.87},
          .operator_overhead = {}};
}

/// 32 draws of a dropless model of SwiGLU experts: a microbatch of 4096 tokens on each GPU.
TrainingRunSpec permuted_run(const NetworkSpec& network, const MoeSpec& moe, int layers,
                             std::int64_t d_model, std::int64_t d_ff) {
  TrainingRunSpec run;
  run.system.network = network;
  run.system.device = h100();
  TrainingStepSpec& step = run.step;
  step.partition = expert_data_partition(num_ranks(network));
  step.model = {.name = "permuted",
                .architecture = Architecture::kDecoderOnly,
                .num_decoder_layers = layers,
                .d_model = d_model,
                .d_ff = d_ff,
                .activation = Activation::kSwiglu,
                .num_heads = 32,
                .num_kv_heads = 8,
                .d_head = 128,
                .vocabulary = 32000,
                .tied_embedding = false,
                .positions = PositionEncoding::kRotary,
                .moe = moe};
  step.lengths = {.input_tokens = 0, .target_tokens = 4096};
  step.sequences = 16 * num_ranks(step.partition);
  step.microbatch_sequences = 1;
  step.moe.dropless = true;
  step.lowering.dispatch = DispatchKind::kPermutation;
  step.lowering.one_hot_embedding = false;
  run.routing.gate.top_k = moe.top_k;
  run.routing.router = LearnedRouter{.lognormal_sigma = 0.3};
  run.draws = 32;
  return run;
}

/// Mixtral 8x7B on a DGX H100, an expert on each GPU.
TrainingRunSpec mixtral() {
  return permuted_run(ScaleUpSpec{.num_ranks = 8, .port = {.bandwidth = 450_GBps, .latency = 1_us}},
                      {.num_experts = 8, .top_k = 2, .layer_period = 1}, 32, 4096, 14336);
}

/// 16 layers of 64 narrow experts, top-8, on four DGX H100.
TrainingRunSpec many_experts() {
  return permuted_run(
      ClusterSpec{.nodes = 4,
                  .node = {.num_ranks = 8, .port = {.bandwidth = 450_GBps, .latency = 1_us}},
                  .nics_per_node = 8,
                  .nic = {.bandwidth = 400_Gbps, .latency = 2_us},
                  .fabric = {.latency = 1_us, .choice = {}}},
      {.num_experts = 64, .top_k = 8, .layer_period = 1}, 16, 2048, 1024);
}

void draw(benchmark::State& state, const TrainingRunSpec& run) {
  for (auto _ : state)
    for (std::uint64_t i = 0; i < 32; ++i)
      benchmark::DoNotOptimize(
          draw_step(run.step, {.routing = run.routing, .seed = run.seed, .with_rows = true}, i));
}
BENCHMARK_CAPTURE(draw, mixtral, mixtral())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw, many_experts, many_experts())->Unit(benchmark::kMillisecond);

void simulate_draws(benchmark::State& state, const TrainingRunSpec& run, EngineKind engine) {
  for (auto _ : state) benchmark::DoNotOptimize(simulate_training(run, engine));
}
BENCHMARK_CAPTURE(simulate_draws, mixtral_analytic, mixtral(), EngineKind::kAnalytic)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_draws, mixtral_fluid, mixtral(), EngineKind::kFluid)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_draws, many_experts_analytic, many_experts(), EngineKind::kAnalytic)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_draws, many_experts_fluid, many_experts(), EngineKind::kFluid)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace switchyard
