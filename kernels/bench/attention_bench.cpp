// Checks, then times, what a transformer has beside its experts, on the CPU: attention by BLAS at
// Mixtral's heads, layer norm and RMS norm. Writes JSON to stdout.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <map>
#include <string>
#include <thread>

#include "kernels/bench/attention.hpp"
#include "kernels/bench/blas.hpp"
#include "kernels/bench/layer_norm.hpp"
#include "kernels/bench/operator_checks.hpp"
#include "kernels/bench/timed.hpp"
#include "kernels/check/numbers.hpp"

namespace switchyard::kernels {
namespace {

struct Options {
  int num_threads = 1;
  int repeats = 5;
  std::string part;  ///< of the names that are timed
};

/// What one call computes or moves; 0: not counted.
struct Demand {
  double flop = 0.0;
  double bytes = 0.0;
};

class Report {
 public:
  explicit Report(const Options& options) : options_{options} {}

  /// Times body(). cpu_s, of all threads, says what it would take on cores of its own.
  template <class Body>
  void point(const std::string& name, const Demand& demand, const Body& body) {
    std::vector<double> seconds;
    std::vector<double> cpu_seconds;
    body();
    for (int i = 0; i < options_.repeats; ++i) {
      const std::clock_t begin = std::clock();
      seconds.push_back(seconds_of(body));
      cpu_seconds.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    const Timing timing = timing_of(seconds);
    std::printf(
        "%s    {\"point\": \"%s\", \"median_s\": %.6g, \"p10_s\": %.6g, \"p90_s\": %.6g, "
        "\"cpu_s\": %.6g, \"flop\": %.6g, \"flop_per_s\": %.4g, \"bytes\": %.6g, "
        "\"bytes_per_s\": %.4g}",
        num_points_++ == 0 ? "" : ",\n", name.c_str(), timing.median, timing.p10, timing.p90,
        timing_of(cpu_seconds).median, demand.flop, demand.flop / timing.median, demand.bytes,
        demand.bytes / timing.median);
    std::fflush(stdout);
  }

  [[nodiscard]] bool wants(const std::string& name) const {
    return name.find(options_.part) != std::string::npos;
  }

 private:
  const Options& options_;
  int num_points_ = 0;
};

void time_attention(const CpuBackend& cpu, Report& report) {
  const std::map<std::string, AttentionShape> shapes{
      {"prefill_1x8192", {.sequences = 1, .queries = 8192, .keys = 8192}},
      {"prefill_4x2048", {.sequences = 4, .queries = 2048, .keys = 2048}},
      {"decode_1", {.sequences = 1, .keys = 4096}},
      {"decode_8", {.sequences = 8, .keys = 4096}},
      {"decode_64", {.sequences = 64, .keys = 4096}}};
  for (const auto& [name, shape] : shapes) {
    if (!has_blas() || !report.wants("attention_" + name)) continue;
    AttentionData data = random_attention(shape);
    AttentionScratch scratch;
    report.point("attention_" + name,
                 {attention_flop(shape), attention_bytes(shape, sizeof(float))},
                 [&, &of = shape] { attention(of, cpu, arrays_of(data), scratch); });
  }
}

template <class T>
void time_norms(const CpuBackend& cpu, const std::string& number, Report& report) {
  for (const bool subtracts_mean : {false, true}) {
    const NormShape shape{.rows = 8192, .columns = 4096, .subtracts_mean = subtracts_mean};
    const std::string name =
        std::string{subtracts_mean ? "layer_norm_" : "rms_norm_"} + number + "_8192x4096";
    if (!report.wants(name)) continue;
    const auto x = uniform_numbers<T>(std::size_t{8192} * 4096, 4);
    const auto scale = uniform_numbers<float>(4096, 5);
    Buffer<T> y(x.size());
    report.point(name, {0.0, norm_bytes(shape, sizeof(T))},
                 [&] { normalise<T>(shape, cpu, x, scale, y); });
  }
}

void run(const Options& options) {
  const CpuBackend cpu{options.num_threads};
  std::printf("{\n  \"threads\": %d, \"repeats\": %d, \"number\": \"float32\",\n",
              options.num_threads, options.repeats);
  std::printf("  \"query_heads\": 32, \"kv_heads\": 8, \"head_width\": 128, \"has_blas\": %s,\n",
              has_blas() ? "true" : "false");
  std::printf(
      "  \"errors\": {\"attention\": %.2g, \"norm_float32\": %.2g, \"norm_bfloat16\": %.2g},\n",
      has_blas() ? checked_attention_error(cpu) : 0.0, checked_norm_error<float>(cpu),
      checked_norm_error<BFloat16>(cpu));
  std::printf("  \"points\": [\n");
  Report report{options};
  time_attention(cpu, report);
  time_norms<float>(cpu, "float32", report);
  time_norms<BFloat16>(cpu, "bfloat16", report);
  std::printf("\n  ]\n}\n");
}

constexpr const char* kUsage =
    "usage: switchyard_kernels_attention_bench [--threads N] [--repeats N] [--only "
    "PART_OF_A_NAME]\n";

int bench(int argc, char** argv) {
  std::map<std::string, std::string> options{
      {"--threads", std::to_string(std::max(1U, std::thread::hardware_concurrency()))},
      {"--repeats", "5"},
      {"--only", ""}};
  for (int i = 1; i < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end() || i + 1 == argc) {
      std::fputs(kUsage, stderr);
      return 2;
    }
    option->second = argv[i + 1];
  }
  const Options given{.num_threads = std::atoi(options["--threads"].c_str()),
                      .repeats = std::atoi(options["--repeats"].c_str()),
                      .part = options["--only"]};
  if (given.repeats < 1) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  run(given);
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
