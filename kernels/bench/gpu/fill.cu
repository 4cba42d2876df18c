#include "kernels/bench/gpu/fill.hpp"
#include "kernels/cuda/numbers.cuh"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

template <class T>
__global__ void fill_kernel(T* numbers, std::uint64_t size, std::uint64_t stream) {
  const std::uint64_t step = std::uint64_t{gridDim.x} * blockDim.x;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += step)
    numbers[i] = rounded_to<T>(2.0F * uniform_at(stream, i) - 1.0F);
}

}  // namespace

template <class T>
void fill_random(DeviceBuffer<T>& buffer, std::size_t size, std::uint64_t seed,
                 cudaStream_t stream) {
  buffer.resize(size);
  if (size == 0) return;
  fill_kernel<<<2048, 256, 0, stream>>>(buffer.data(), size, scattered(seed));
  check_launch("fill_kernel");
}

template void fill_random(DeviceBuffer<float>&, std::size_t, std::uint64_t, cudaStream_t);
template void fill_random(DeviceBuffer<BFloat16>&, std::size_t, std::uint64_t, cudaStream_t);

}  // namespace switchyard::kernels
