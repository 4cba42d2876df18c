#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

/// Rows of one source rank and one expert.
struct RowBlock {
  std::int64_t by_source = 0;  ///< first row among the chunk's rows as they are exchanged
  std::int64_t by_expert = 0;  ///< first row among them in the order of experts
  std::int64_t count = 0;
};

/// Some neighbouring experts of each rank of an expert group, whose rows are exchanged together. An
/// expert is in one chunk only, so chunks change no sum.
struct ExpertChunk {
  int first_expert = 0;  ///< of those that this rank holds
  int num_experts = 0;
  std::vector<std::int64_t> send_counts;  ///< by target: rows of this rank's DispatchPlan
  std::vector<std::int64_t> send_begins;
  std::vector<std::int64_t> receive_counts;  ///< by source: rows of what this rank receives in all
  std::vector<std::int64_t> receive_begins;
  std::int64_t first_row = 0;    ///< of what this rank receives in all
  std::int64_t num_rows = 0;     ///< that this rank receives
  Buffer<std::int32_t> offsets;  ///< (num_experts + 1), of the rows in the order of experts
  std::vector<RowBlock> blocks;  ///< none empty
};

/// @param sent      rows that this rank has for each (rank, its expert)
/// @param received  rows that each (rank, this rank's expert) has for this rank
/// @throws KernelError (kShape) when a chunk has 2^31 rows or more.
[[nodiscard]] std::vector<ExpertChunk> make_chunks(int num_ranks, int num_chunks,
                                                   std::span<const std::int64_t> sent,
                                                   std::span<const std::int64_t> received);

/// Rows that this rank receives in all chunks.
[[nodiscard]] std::int64_t num_received(std::span<const ExpertChunk> chunks);

enum class RowOrder { kBySource, kByExpert };

/// Copies a chunk's rows of `columns` numbers into the other order.
template <class T>
void reorder(const ExpertChunk& chunk, const CpuBackend& cpu, std::int64_t columns, const T* from,
             RowOrder to_order, T* to);

}  // namespace switchyard::kernels
