#include <gtest/gtest.h>

#include "cost_models/calibration/kernel_work.hpp"

namespace switchyard {
namespace {

// 200 tokens, d_model 64, 8 experts, 2 choices.
KernelCall router_of(KernelKind kind, int element_bytes) {
  return {.kind = kind, .element_bytes = element_bytes, .sizes = {200, 64, 8, 2}};
}

TEST(RouterWork, CopiesTokensAndTheRouterForEachPieceOfTheLogits) {
  // Pieces of 192 and 8 tokens, whole tiles of 12 x 32: 2 * (192 + 12) * 32 * 64 operations. Tokens
  // are copied once (read and written as float), the router twice, and 200 * 8 sums are read and
  // written; the router is rounded to what it stores, read and written.
  const KernelWork work = router_work(router_of(KernelKind::kRouter, 4), {});
  EXPECT_DOUBLE_EQ(work.flop.base(), 2.0 * 204 * 32 * 64);
  EXPECT_DOUBLE_EQ(work.traffic.base(), 8.0 * (200 * 64 + 2 * 8 * 64 + 200 * 8 + 8 * 64));
  EXPECT_DOUBLE_EQ(work.items, 200 * 8);
  EXPECT_DOUBLE_EQ(work.groups, 200 * 8 * 2);
}

TEST(RouterWork, ReadsTokensOfTwoBytes) {
  const KernelWork work = router_work(router_of(KernelKind::kRouter, 2), {});
  EXPECT_DOUBLE_EQ(work.narrow_traffic.base(), 2.0 * 200 * 64);
  EXPECT_DOUBLE_EQ(work.traffic.base(), 6.0 * 200 * 64 + 8.0 * (2 * 8 * 64 + 200 * 8 + 8 * 64));
}

TEST(RouterWork, HasTwoProductsBackward) {
  // (8, 200) x (200, 64) and (200, 8) x (8, 64), in tasks of 32 columns: 8 rows count as 12, 200 as
  // 204. Both tasks of each copy all of its left operand: 2 * 8 * 200 numbers; the right ones are
  // copied once.
  const KernelWork work = router_work(router_of(KernelKind::kRouterBackward, 4), {});
  EXPECT_DOUBLE_EQ(work.flop.base(), 2.0 * 12 * 64 * 200 + 2.0 * 204 * 64 * 8);
  const double weights = 2 * 8 * 200 + 200 * 64 + 8 * 64;
  const double inputs = 2 * 8 * 200 + 8 * 64 + 200 * 64;
  EXPECT_DOUBLE_EQ(work.traffic.base(), 8.0 * (weights + inputs) + 4.0 * 200 * 64 + 8.0 * 8 * 64);
  EXPECT_DOUBLE_EQ(work.groups, 2 * 200);
}

TEST(RouterWork, CopiesNothingOnAGpu) {
  const ProductTiles tiles{.rows = 128, .columns = 128, .multiprocessors = 132};
  EXPECT_DOUBLE_EQ(router_work(router_of(KernelKind::kRouter, 2), tiles).traffic.base(),
                   2.0 * 200 * 64);
}

}  // namespace
}  // namespace switchyard
