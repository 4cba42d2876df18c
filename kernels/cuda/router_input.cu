#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/router_input.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

constexpr int kThreads = 256;

unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>((count + kThreads - 1) / kThreads);
}

__device__ std::int64_t thread_index() { return std::int64_t{blockIdx.x} * kThreads + threadIdx.x; }

struct Jitter {
  std::uint64_t stream;
  std::uint64_t first_counter;
  float jitter;
};

template <class From, class To>
__global__ void jitter_kernel(std::int64_t count, Jitter of, const From* inputs, To* to) {
  const std::int64_t i = thread_index();
  if (i >= count) return;
  const auto counter = of.first_counter + static_cast<std::uint64_t>(i);
  to[i] = rounded_to<To>(to_float(inputs[i]) * jitter_factor(of.stream, counter, of.jitter));
}

__global__ void split_kernel(std::int64_t count, bool all_parts, const float* w, BFloat16* parts,
                             BFloat16* backward) {
  const std::int64_t i = thread_index();
  if (i >= count) return;
  const auto large = rounded_to<BFloat16>(w[i]);
  const float rest = w[i] - to_float(large);
  const auto middle = rounded_to<BFloat16>(all_parts ? rest : 0.0F);
  const auto small = rounded_to<BFloat16>(all_parts ? rest - to_float(middle) : 0.0F);
  parts[i] = backward[i] = backward[count + i] = backward[2 * count + i] = large;
  parts[count + i] = backward[3 * count + i] = middle;
  parts[2 * count + i] = small;
}

__global__ void add_parts_kernel(std::int64_t count, const float* parts, float* to) {
  const std::int64_t i = thread_index();
  if (i < count) to[i] = parts[2 * count + i] + parts[count + i] + parts[i];
}

}  // namespace

template <class From, class To>
void launch_jitter(CudaBackend& cuda, const JitteredNumbers& of, const From* inputs, To* to) {
  if (of.count == 0) return;
  const Jitter jitter{
      .stream = random_stream(of.step, RandomUse::kJitter),
      .first_counter = static_cast<std::uint64_t>(of.step.first_token * of.spec.d_model),
      .jitter = static_cast<float>(of.spec.router.jitter)};
  jitter_kernel<<<blocks_for(of.count), kThreads, 0, cuda.stream()>>>(of.count, jitter, inputs, to);
  check_launch("jitter_kernel");
}

void launch_split(CudaBackend& cuda, std::int64_t count, bool all_parts, const float* w,
                  BFloat16* parts, BFloat16* backward) {
  split_kernel<<<blocks_for(count), kThreads, 0, cuda.stream()>>>(count, all_parts, w, parts,
                                                                  backward);
  check_launch("split_kernel");
}

void launch_add_parts(CudaBackend& cuda, std::int64_t count, const float* parts, float* to) {
  add_parts_kernel<<<blocks_for(count), kThreads, 0, cuda.stream()>>>(count, parts, to);
  check_launch("add_parts_kernel");
}

template void launch_jitter(CudaBackend&, const JitteredNumbers&, const float*, float*);
template void launch_jitter(CudaBackend&, const JitteredNumbers&, const BFloat16*, float*);
template void launch_jitter(CudaBackend&, const JitteredNumbers&, const BFloat16*, BFloat16*);

}  // namespace switchyard::kernels
