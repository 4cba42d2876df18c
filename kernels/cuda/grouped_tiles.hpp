#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// Tile of an output that one block of the grouped kernel computes at a time.
struct GemmTile {
  int rows = 0;
  int columns = 0;

  friend constexpr bool operator==(GemmTile, GemmTile) = default;
};

/// What tiles a grouped product is cut into.
struct TileDemand {
  std::int64_t num_groups = 0;      ///< experts that have rows
  std::int64_t rows_per_group = 0;  ///< mean
  std::int64_t columns = 0;
  int num_sms = 1;
  bool is_forward = true;  ///< weights' rows are contiguous in depth
};

/// The tile with the least estimated time: waves of tiles times columns, weighted by how much less
/// a narrow tile reuses what it loads. 64 rows for few rows per expert, where weights stream.
[[nodiscard]] GemmTile choose_tile(const TileDemand& demand);

/// Rows per expert up to which tiles of 64 rows are used.
inline constexpr std::int64_t kFewRows = 96;

}  // namespace switchyard::kernels
