#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace switchyard::kernels {

/// The rows of one rank in an exchange, where they lie and where in memory that has no gaps.
struct PackedBlock {
  std::size_t begin = 0;   ///< byte in the caller's memory
  std::size_t packed = 0;  ///< byte in the memory without gaps
  std::size_t bytes = 0;
};

struct PackedBlocks {
  std::vector<PackedBlock> all;  ///< by rank
  std::size_t bytes = 0;         ///< of all
};

/// One side of a RowExchange.
[[nodiscard]] inline PackedBlocks packed_blocks(std::span<const std::int64_t> counts,
                                                std::span<const std::int64_t> begins,
                                                std::size_t row_bytes) {
  PackedBlocks result;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::size_t bytes = static_cast<std::size_t>(counts[i]) * row_bytes;
    result.all.push_back({static_cast<std::size_t>(begins[i]) * row_bytes, result.bytes, bytes});
    result.bytes += bytes;
  }
  return result;
}

}  // namespace switchyard::kernels
