#include "kernels/bench/gpu/fill.hpp"
#include "kernels/bench/gpu/layers.hpp"
#include "kernels/cuda/matmul.hpp"

namespace switchyard::kernels {

void bench_copies(CudaBackend& cuda, BenchReport& report) {
  for (const std::size_t mib : {64, 512, 4096}) {
    DeviceBuffer<float> from;
    DeviceBuffer<float> to;
    const std::size_t size = (mib << 20) / sizeof(float);
    fill_random(from, size, 1, cuda.stream());
    to.resize(size);
    report.measure(cuda,
                   {.section = "copy",
                    .shape = std::to_string(mib) + "_MiB",
                    .product = "copy",
                    .implementation = "cudaMemcpy",
                    .bytes = 2.0 * static_cast<double>(size * sizeof(float))},
                   {.calls = 2}, [&](int) {
                     check_cuda(cudaMemcpyAsync(to.data(), from.data(), size * sizeof(float),
                                                cudaMemcpyDeviceToDevice, cuda.stream()),
                                "cudaMemcpy");
                   });
  }
}

void bench_thermometer(CudaBackend& cuda, const std::string& when, BenchReport& report) {
  constexpr std::int64_t kSize = 8192;
  constexpr std::size_t kNumbers = kSize * kSize;
  DeviceBuffer<BFloat16> a, b, c;
  fill_random(a, kNumbers, 1, cuda.stream());
  fill_random(b, kNumbers, 2, cuda.stream());
  c.resize(kNumbers);
  report.measure(cuda,
                 {.section = "thermometer",
                  .shape = when,
                  .product = "8192^3",
                  .implementation = "dense_cublaslt",
                  .flop = 2.0 * kSize * kSize * kSize},
                 {.calls = 1, .limit_s = 0.1}, [&](int) {
                   matmul(cuda, {.m = kSize,
                                 .n = kSize,
                                 .k = kSize,
                                 .a = {a.data(), kSize},
                                 .b = {b.data(), kSize, true},
                                 .c = c.data(),
                                 .c_stride = kSize,
                                 .c_type = NumberType::kBFloat16});
                 });
}

}  // namespace switchyard::kernels
