#include "kernels/cuda/grouped_tiles.hpp"

#include <gtest/gtest.h>

namespace switchyard::kernels {
namespace {

TEST(ChooseTile, TakesTheWidestForManyRows) {
  // Mixtral's first product: 8 * 16 * 112 tiles in 108.6 waves of 132, 109 * 256 columns.
  EXPECT_EQ(
      choose_tile({.num_groups = 8, .rows_per_group = 2048, .columns = 28672, .num_sms = 132}),
      (GemmTile{128, 256}));
}

TEST(ChooseTile, FitsTheWidthOfSwitchC) {
  // 2080 = 10 * 208. 16 * 16 row tiles: 20 waves * 208 * 1.03 = 4285 against 18 * 256 = 4608 with 9
  // columns of tiles.
  EXPECT_EQ(
      choose_tile({.num_groups = 16, .rows_per_group = 2048, .columns = 2080, .num_sms = 132}),
      (GemmTile{128, 208}));
  // Transposed there is no such tile: 33 waves * 128 * 1.15 = 4858 with 17 columns of tiles.
  EXPECT_EQ(choose_tile({.num_groups = 16,
                         .rows_per_group = 2048,
                         .columns = 2080,
                         .num_sms = 132,
                         .is_forward = false}),
            (GemmTile{128, 256}));
}

TEST(ChooseTile, CutsSmallProductsForAllMultiprocessors) {
  // One token of Mixtral, two experts of one row: 4096 columns are 128 tiles of 64, so one wave of
  // 64 columns, against one of 256.
  EXPECT_EQ(choose_tile({.num_groups = 2, .rows_per_group = 1, .columns = 4096, .num_sms = 132}),
            (GemmTile{64, 64}));
}

}  // namespace
}  // namespace switchyard::kernels
