// Random numbers, the reference product and the empty kernel of the stand-in. Of what is large only
// the beginning is filled, and large products are not computed: nobody looks at them.

#include <algorithm>

#include "kernels/bench/gpu/fill.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/measure/cuda/empty_kernel.hpp"
#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {

template <class T>
void fill_random(DeviceBuffer<T>& buffer, std::size_t size, std::uint64_t seed,
                 cudaStream_t stream) {
  buffer.resize(size);
  queue_on(stream, [to = buffer.data(), size, stream_number = scattered(seed)] {
    for (std::size_t i = 0; i < std::min<std::size_t>(size, 100'000); ++i)
      to[i] = from_float<T>(2.0F * uniform_at(stream_number, i) - 1.0F);
  });
}

template void fill_random(DeviceBuffer<float>&, std::size_t, std::uint64_t, cudaStream_t);
template void fill_random(DeviceBuffer<BFloat16>&, std::size_t, std::uint64_t, cudaStream_t);

void matmul(CudaBackend& cuda, const Matmul& /*product*/, int /*lane*/) {
  queue_on(cuda.stream(), [] {});
}

void launch_empty_kernel(cudaStream_t stream) {
  queue_on(stream, [] {});
}

}  // namespace switchyard::kernels
