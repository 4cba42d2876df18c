#include <algorithm>

#include "kernels/cuda/row_blocks.hpp"

namespace switchyard::kernels {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMostPieces = 1024;
/// Words that a thread copies where blocks are as large as the largest.
constexpr std::int64_t kWordsPerThread = 4;

/// A block of rows is one piece of memory in both orders: blockIdx.x says which, the threads of all
/// blockIdx.y share its words.
template <class Word>
__global__ void __launch_bounds__(kThreads)
    reorder_kernel(const RowBlock* blocks, std::int64_t row_words, bool by_expert, const Word* from,
                   Word* to) {
  const RowBlock block = blocks[blockIdx.x];
  const Word* source = from + (by_expert ? block.by_source : block.by_expert) * row_words;
  Word* target = to + (by_expert ? block.by_expert : block.by_source) * row_words;
  const std::int64_t step = std::int64_t{gridDim.y} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.y} * kThreads + threadIdx.x;
       i < block.count * row_words; i += step)
    target[i] = source[i];
}

template <class Word>
void launch(const DeviceRowBlocks& rows, CudaBackend& cuda, std::int64_t row_bytes,
            const void* from, RowOrder to_order, void* to) {
  const std::int64_t row_words = row_bytes / static_cast<std::int64_t>(sizeof(Word));
  const std::int64_t pieces = rows.most_rows * row_words / (kThreads * kWordsPerThread) + 1;
  const dim3 grid{static_cast<unsigned>(rows.blocks.size()),
                  static_cast<unsigned>(std::min(pieces, kMostPieces))};
  reorder_kernel<Word><<<grid, kThreads, 0, cuda.stream()>>>(
      rows.blocks.data(), row_words, to_order == RowOrder::kByExpert,
      static_cast<const Word*>(from), static_cast<Word*>(to));
  check_launch("reorder_kernel");
}

}  // namespace

void upload(CudaBackend& cuda, const ExpertChunk& chunk, DeviceRowBlocks& to) {
  to.most_rows = 0;
  for (const RowBlock& block : chunk.blocks) to.most_rows = std::max(to.most_rows, block.count);
  copy_to_device<RowBlock>(chunk.blocks, to.blocks, cuda.stream());
}

void reorder(const DeviceRowBlocks& rows, CudaBackend& cuda, std::int64_t row_bytes,
             const void* from, RowOrder to_order, void* to) {
  if (rows.blocks.size() == 0) return;
  // Chunks begin at multiples of a row, arrays at multiples of 256 bytes.
  if (row_bytes % static_cast<std::int64_t>(sizeof(uint4)) == 0)
    launch<uint4>(rows, cuda, row_bytes, from, to_order, to);
  else
    launch<std::uint16_t>(rows, cuda, row_bytes, from, to_order, to);
}

}  // namespace switchyard::kernels
