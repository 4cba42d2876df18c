// Times the phases of one MoE layer on the CPU and, in turn with them, one square product by BLAS,
// the yardstick. Writes JSON to stdout.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <thread>

#include "kernels/bench/blas.hpp"
#include "kernels/bench/layer_phases.hpp"
#include "kernels/bench/timed.hpp"
#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::int64_t kSquareSize = 2048;

struct Timed {
  Phase phase;
  std::vector<double> seconds;
};

void print(const Timed& timed, bool is_last) {
  const Timing timing = timing_of(timed.seconds);
  std::printf(
      "    {\"phase\": \"%s\", \"median_s\": %.6g, \"p10_s\": %.6g, \"p90_s\": %.6g, "
      "\"flop\": %.6g, \"flop_per_s\": %.4g}%s\n",
      timed.phase.name.c_str(), timing.median, timing.p10, timing.p90, timed.phase.flop,
      timed.phase.flop / timing.median, is_last ? "" : ",");
}

/// flop/s of all phases whose name begins with "gemm", by medians.
double expert_gemm_rate(const std::vector<Timed>& all) {
  double flop = 0.0;
  double seconds = 0.0;
  for (const Timed& timed : all)
    if (timed.phase.name.starts_with("gemm")) {
      flop += timed.phase.flop;
      seconds += timing_of(timed.seconds).median;
    }
  return flop / seconds;
}

template <class T>
void run(const BenchSpec& spec) {
  const CpuBackend cpu{spec.num_threads};
  LayerArrays<T> arrays;
  fill(spec, cpu, arrays);
  const auto size = static_cast<std::size_t>(kSquareSize * kSquareSize);
  const auto a = random_numbers<float>(size, 6);
  const auto b = random_numbers<float>(size, 7);
  Buffer<float> c(size);

  std::vector<Timed> all;
  if (has_blas()) {
    const auto n = static_cast<double>(kSquareSize);
    all.push_back({{"blas_square", 2.0 * n * n * n,
                    [&] {
                      set_blas_threads(spec.num_threads);
                      blas_product({.m = kSquareSize,
                                    .n = kSquareSize,
                                    .k = kSquareSize,
                                    .a = a.data(),
                                    .a_stride = kSquareSize,
                                    .b = b.data(),
                                    .b_stride = kSquareSize,
                                    .b_transposed = true,
                                    .c = c.data(),
                                    .c_stride = kSquareSize});
                    }},
                   {}});
  }
  for (Phase& phase : layer_phases(spec, cpu, arrays)) all.push_back({std::move(phase), {}});
  // The first round warms up.
  for (int round = 0; round <= spec.repeats; ++round)
    for (Timed& timed : all) {
      const double seconds = seconds_of(timed.phase.run);
      if (round > 0) timed.seconds.push_back(seconds);
    }

  const MoeLayerSpec& layer = spec.layer;
  std::printf("{\n  \"isa\": \"%s\", \"threads\": %d, \"repeats\": %d, \"precision\": \"%s\",\n",
              isa_kernels().name, spec.num_threads, spec.repeats,
              stores_bfloat16(layer.precision) ? "selective" : "float32");
  std::printf(
      "  \"d_model\": %d, \"d_ff\": %d, \"num_experts\": %d, \"top_k\": %d, "
      "\"activation\": \"swiglu\", \"tokens\": %lld, \"rows\": %lld,\n",
      layer.d_model, layer.d_ff, layer.num_experts, layer.router.top_k,
      static_cast<long long>(spec.num_tokens), static_cast<long long>(arrays.state.plan.num_rows));
  std::printf("  \"expert_gemm_flop_per_s\": %.4g,\n", expert_gemm_rate(all));
  if (has_blas())
    std::printf(
        "  \"expert_gemm_over_blas_peak\": %.3f,\n",
        expert_gemm_rate(all) * timing_of(all.front().seconds).median / all.front().phase.flop);
  std::printf("  \"blas_square_size\": %lld,\n  \"phases\": [\n",
              static_cast<long long>(kSquareSize));
  for (const Timed& timed : all) print(timed, &timed == &all.back());
  std::printf("  ]\n}\n");
}

constexpr const char* kUsage =
    "usage: switchyard_kernels_cpu_bench [--d-model N] [--d-ff N] [--experts N] [--top-k N]\n"
    "         [--tokens N] [--threads N] [--repeats N] [--precision float32|selective]\n";

int bench(int argc, char** argv) {
  std::map<std::string, std::string> options{
      {"--d-model", "1024"},
      {"--d-ff", "3584"},
      {"--experts", "8"},
      {"--top-k", "2"},
      {"--tokens", "2048"},
      {"--repeats", "9"},
      {"--threads", std::to_string(std::max(1U, std::thread::hardware_concurrency()))},
      {"--precision", "selective"}};
  for (int i = 1; i < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end() || i + 1 == argc) {
      std::fputs(kUsage, stderr);
      return 2;
    }
    option->second = argv[i + 1];
  }
  const auto number = [&](const char* name) { return std::atoi(options[name].c_str()); };
  const bool is_float = options["--precision"] == "float32";
  BenchSpec spec{.layer = {.d_model = number("--d-model"),
                           .d_ff = number("--d-ff"),
                           .num_experts = number("--experts"),
                           .activation = Activation::kSwiglu,
                           .precision = is_float ? Precision::kFloat32 : Precision::kSelective,
                           .router = {.top_k = number("--top-k"), .renormalized = true}},
                 .num_tokens = number("--tokens"),
                 .num_threads = number("--threads"),
                 .repeats = number("--repeats")};
  validate(spec.layer);
  if (spec.num_tokens < 1 || spec.repeats < 1) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  is_float ? run<float>(spec) : run<BFloat16>(spec);
  return 0;
}

}  // namespace
}  // namespace switchyard::kernels

int main(int argc, char** argv) {
  try {
    return switchyard::kernels::bench(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
