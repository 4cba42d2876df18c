#include "kernels/comm/agreement.hpp"
#include "kernels/cuda/device_all_reduce.hpp"
#include "kernels/cuda/numbers.cuh"

namespace switchyard::kernels {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads)
    add_pieces_kernel(const T* pieces, std::int64_t num_ranks, std::int64_t count, T* sums) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= count) return;
  float sum = to_float(pieces[i]);
  for (std::int64_t rank = 1; rank < num_ranks; ++rank) sum += to_float(pieces[rank * count + i]);
  sums[i] = rounded_to<T>(sum);
}

}  // namespace

template <class T>
void prepare_all_reduce(const Communicator& ranks, std::size_t size,
                        DeviceReduceScratch<T>& scratch) {
  if (ranks.num_ranks() == 1) return;
  scratch.pieces.resize(num_piece_numbers(ranks, size));
  static_cast<void>(scratch.stream.get());
}

template <class T>
std::int64_t all_reduce_sum(Communicator& ranks, std::span<T> numbers,
                            DeviceReduceScratch<T>& scratch) {
  const auto add = [&](const T* pieces, std::int64_t num_ranks, std::int64_t count, T* sums) {
    if (count == 0) return;
    run_without_agreement([&] {
      const auto blocks = static_cast<unsigned>((count + kThreads - 1) / kThreads);
      add_pieces_kernel<T>
          <<<blocks, kThreads, 0, scratch.stream.get()>>>(pieces, num_ranks, count, sums);
      check_launch("add_pieces_kernel");
      check_cuda(cudaStreamSynchronize(scratch.stream.get()), "sums over ranks");
    });
  };
  return all_reduce_with<T>(ranks, numbers, scratch.pieces, add);
}

template void prepare_all_reduce(const Communicator&, std::size_t, DeviceReduceScratch<float>&);
template void prepare_all_reduce(const Communicator&, std::size_t, DeviceReduceScratch<BFloat16>&);
template std::int64_t all_reduce_sum(Communicator&, std::span<float>, DeviceReduceScratch<float>&);
template std::int64_t all_reduce_sum(Communicator&, std::span<BFloat16>,
                                     DeviceReduceScratch<BFloat16>&);

}  // namespace switchyard::kernels
