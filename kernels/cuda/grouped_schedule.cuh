#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// Which product a grouped kernel computes, and so which operands lie along their depth.
enum class Product {
  kForward,         ///< rows @ w^T: both operands' rows are contiguous in depth
  kDataGradient,    ///< rows @ w: w's columns are
  kWeightGradient,  ///< dy^T @ x: depth is the rows of an expert, no operand is contiguous in it
};

/// Tiles of all experts numbered expert by expert; within an expert in bands of kBandTiles tiles
/// of rows, within a band down the rows first, so that the weights of a column of tiles are read
/// by blocks that run together, and rows fit in L2 while the columns go by.
struct Schedule {
  const std::int32_t* offsets;  ///< (E + 1)
  int num_experts;
  int row_tiles_of_expert;  ///< for kWeightGradient, whose tiles do not depend on the rows
  int column_tiles;
};

struct Tile {
  int expert;
  int first_row;  ///< in the array of rows; for kWeightGradient where the depth begins
  int num_rows;   ///< of the expert
  int row_tile;
  int column_tile;
};

inline constexpr int kBandTiles = 16;

/// Walks through the tiles of one block, whose numbers only grow.
template <Product kProduct, int kTileRows>
class TileWalk {
 public:
  __device__ __forceinline__ explicit TileWalk(const Schedule& schedule) : schedule_{schedule} {}

  /// Finds tile number `index`; false behind the last.
  __device__ __forceinline__ bool seek(int index, Tile& tile) {
    for (; expert_ < schedule_.num_experts; ++expert_) {
      const int first_row = schedule_.offsets[expert_];
      const int num_rows = schedule_.offsets[expert_ + 1] - first_row;
      const int row_tiles = kProduct == Product::kWeightGradient
                                ? schedule_.row_tiles_of_expert
                                : (num_rows + kTileRows - 1) / kTileRows;
      const int tiles = row_tiles * schedule_.column_tiles;
      if (index < first_ + tiles) {
        tile = {expert_, first_row, num_rows, 0, 0};
        place(index - first_, row_tiles, tile);
        return true;
      }
      first_ += tiles;
    }
    return false;
  }

 private:
  __device__ __forceinline__ void place(int index, int row_tiles, Tile& tile) const {
    const int band = index / (kBandTiles * schedule_.column_tiles);
    const int in_band = index - band * kBandTiles * schedule_.column_tiles;
    const int height = min(kBandTiles, row_tiles - band * kBandTiles);
    tile.column_tile = in_band / height;
    tile.row_tile = band * kBandTiles + in_band - tile.column_tile * height;
  }

  Schedule schedule_;
  int expert_ = 0;
  int first_ = 0;  ///< number of the first tile of the expert
};

}  // namespace switchyard::kernels
