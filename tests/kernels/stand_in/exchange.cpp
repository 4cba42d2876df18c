// Order of rows and sums over ranks of the CUDA backend, queued.

#include <algorithm>
#include <cstring>

#include "kernels/cuda/device_all_reduce.hpp"
#include "kernels/cuda/row_blocks.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {

void upload(CudaBackend& cuda, const ExpertChunk& chunk, DeviceRowBlocks& to) {
  copy_to_device<RowBlock>(chunk.blocks, to.blocks, cuda.stream());
}

void reorder(const DeviceRowBlocks& rows, CudaBackend& cuda, std::int64_t row_bytes,
             const void* from, RowOrder to_order, void* to) {
  queue_on(cuda.stream(), [=, &rows] {
    const std::span<const RowBlock> blocks = rows.blocks;
    for (const RowBlock& block : blocks) {
      const bool by_expert = to_order == RowOrder::kByExpert;
      std::memcpy(
          static_cast<char*>(to) + (by_expert ? block.by_expert : block.by_source) * row_bytes,
          static_cast<const char*>(from) +
              (by_expert ? block.by_source : block.by_expert) * row_bytes,
          static_cast<std::size_t>(block.count * row_bytes));
    }
  });
}

template <class T>
void prepare_all_reduce(const Communicator& ranks, std::size_t size,
                        DeviceReduceScratch<T>& scratch) {
  scratch.pieces.resize(num_piece_numbers(ranks, size));
}

template <class T>
std::int64_t all_reduce_sum(Communicator& ranks, std::span<T> numbers,
                            DeviceReduceScratch<T>& scratch) {
  const auto add = [](const T* pieces, std::int64_t num_ranks, std::int64_t count, T* sums) {
    for (std::int64_t i = 0; i < count; ++i) {
      float sum = to_float(pieces[i]);
      for (std::int64_t rank = 1; rank < num_ranks; ++rank)
        sum += to_float(pieces[rank * count + i]);
      sums[i] = from_float<T>(sum);
    }
  };
  return all_reduce_with<T>(ranks, numbers, scratch.pieces, add);
}

template void prepare_all_reduce(const Communicator&, std::size_t, DeviceReduceScratch<float>&);
template void prepare_all_reduce(const Communicator&, std::size_t, DeviceReduceScratch<BFloat16>&);
template std::int64_t all_reduce_sum(Communicator&, std::span<float>, DeviceReduceScratch<float>&);
template std::int64_t all_reduce_sum(Communicator&, std::span<BFloat16>,
                                     DeviceReduceScratch<BFloat16>&);

}  // namespace switchyard::kernels
