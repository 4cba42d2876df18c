#include "kernels/ranks/expert_chunks.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

/// Where part `part` of `parts` begins.
int part_begin(int size, int part, int parts) {
  return static_cast<int>(std::int64_t{size} * part / parts);
}

void place_rows(std::span<const std::int64_t> received, int num_ranks, ExpertChunk& chunk) {
  const auto num_local = static_cast<int>(received.size()) / num_ranks;
  const auto rows = [&](int source, int expert) {
    return received[static_cast<std::size_t>(source * num_local + chunk.first_expert + expert)];
  };
  std::vector<std::int64_t> next(static_cast<std::size_t>(num_ranks));
  for (std::size_t source = 0; source < next.size(); ++source)
    next[source] = chunk.receive_begins[source] - chunk.first_row;
  chunk.offsets.resize(static_cast<std::size_t>(chunk.num_experts) + 1);
  std::int64_t by_expert = 0;
  for (int expert = 0; expert < chunk.num_experts; ++expert) {
    chunk.offsets[static_cast<std::size_t>(expert)] = static_cast<std::int32_t>(by_expert);
    for (int source = 0; source < num_ranks; ++source) {
      const std::int64_t count = rows(source, expert);
      std::int64_t& by_source = next[static_cast<std::size_t>(source)];
      if (count > 0) chunk.blocks.push_back({by_source, by_expert, count});
      by_source += count;
      by_expert += count;
    }
  }
  chunk.offsets[static_cast<std::size_t>(chunk.num_experts)] = static_cast<std::int32_t>(by_expert);
}

}  // namespace

std::vector<ExpertChunk> make_chunks(int num_ranks, int num_chunks,
                                     std::span<const std::int64_t> sent,
                                     std::span<const std::int64_t> received) {
  const int num_local = static_cast<int>(received.size()) / num_ranks;
  const int count = std::clamp(num_chunks, 1, num_local);
  std::vector<std::int64_t> row_begins(sent.size());
  std::exclusive_scan(sent.begin(), sent.end(), row_begins.begin(), std::int64_t{0});
  std::vector<ExpertChunk> chunks(static_cast<std::size_t>(count));
  std::int64_t row = 0;
  for (int c = 0; c < count; ++c) {
    ExpertChunk& chunk = chunks[static_cast<std::size_t>(c)];
    chunk.first_expert = part_begin(num_local, c, count);
    chunk.num_experts = part_begin(num_local, c + 1, count) - chunk.first_expert;
    chunk.first_row = row;
    for (int rank = 0; rank < num_ranks; ++rank) {
      const auto first = static_cast<std::size_t>(rank * num_local + chunk.first_expert);
      const auto size = static_cast<std::size_t>(chunk.num_experts);
      const auto total = [&](std::span<const std::int64_t> counts) {
        const auto of_chunk = counts.subspan(first, size);
        return std::accumulate(of_chunk.begin(), of_chunk.end(), std::int64_t{0});
      };
      chunk.send_begins.push_back(row_begins[first]);
      chunk.send_counts.push_back(total(sent));
      chunk.receive_begins.push_back(row);
      chunk.receive_counts.push_back(total(received));
      row += chunk.receive_counts.back();
    }
    chunk.num_rows = row - chunk.first_row;
    if (chunk.num_rows > std::numeric_limits<std::int32_t>::max())
      throw KernelError{Fault::kShape, "chunks: expected fewer than 2^31 rows in one, got " +
                                           std::to_string(chunk.num_rows)};
    place_rows(received, num_ranks, chunk);
  }
  return chunks;
}

std::int64_t num_received(std::span<const ExpertChunk> chunks) {
  return chunks.empty() ? 0 : chunks.back().first_row + chunks.back().num_rows;
}

template <class T>
void reorder(const ExpertChunk& chunk, const CpuBackend& cpu, std::int64_t columns, const T* from,
             RowOrder to_order, T* to) {
  parallel_for(cpu, std::ssize(chunk.blocks), [&](std::int64_t i, int) {
    const RowBlock& block = chunk.blocks[static_cast<std::size_t>(i)];
    const bool by_expert = to_order == RowOrder::kByExpert;
    const std::int64_t source = by_expert ? block.by_source : block.by_expert;
    const std::int64_t target = by_expert ? block.by_expert : block.by_source;
    std::copy_n(from + source * columns, block.count * columns, to + target * columns);
  });
}

template void reorder(const ExpertChunk&, const CpuBackend&, std::int64_t, const float*, RowOrder,
                      float*);
template void reorder(const ExpertChunk&, const CpuBackend&, std::int64_t, const BFloat16*,
                      RowOrder, BFloat16*);
template void reorder(const ExpertChunk&, const CpuBackend&, std::int64_t, const std::int64_t*,
                      RowOrder, std::int64_t*);

}  // namespace switchyard::kernels
