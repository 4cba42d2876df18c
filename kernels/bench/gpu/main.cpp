// Times the CUDA backend: switchyard_gpu_bench RESULT.json [--tiles] [copies | part of a shape's
// name] Exit status 0 also when a section failed, which the result names; 77 without a CUDA device.

#include <cstdio>
#include <string_view>

#include "kernels/bench/gpu/layers.hpp"
#include "kernels/bench/gpu/products.hpp"
#include "kernels/bench/gpu/report.hpp"
#include "kernels/bench/gpu/shapes.hpp"

namespace {

using namespace switchyard::kernels;

struct Options {
  const char* path = "gpu_bench.json";
  bool all_tiles = false;
  std::string_view part;
};

void run(const Options& options) {
  CudaBackend cuda;
  BenchReport report{options.path, cuda};
  if (options.part.empty() || options.part == "copies")
    report.run_section("copies", [&] { bench_copies(cuda, report); });
  for (const BenchShape& shape : bench_shapes()) {
    if (shape.name.find(options.part) == std::string::npos) continue;
    report.run_section("thermometer",
                       [&] { bench_thermometer(cuda, "before_" + shape.name, report); });
    bench_products(cuda, shape, options.all_tiles, report);
    report.run_section(shape.name + " layer", [&] { bench_layer(cuda, shape, report); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (argc > 1) options.path = argv[1];
  for (int i = 2; i < argc; ++i) {
    if (std::string_view{argv[i]} == "--tiles")
      options.all_tiles = true;
    else
      options.part = argv[i];
  }
  if (num_cuda_devices() == 0) {
    std::printf("skipped: no CUDA device\n");
    return 77;
  }
  try {
    run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
