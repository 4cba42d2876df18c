#include "kernels/bench/attention.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "kernels/bench/decode_block.hpp"
#include "kernels/check/numbers.hpp"

namespace switchyard::kernels {
namespace {

TEST(DecodeBlock, AveragesValuesWhereAllKeysAreAlike) {
  // Equal scores weigh each of three keys a third: outputs (1 + 2 + 6) / 3 and (0 + 3 + 9) / 3.
  const float q[] = {1, 2};
  const float k[] = {5, 5, 5, 5, 5, 5};
  const float v[] = {1, 0, 2, 3, 6, 9};
  float scores[3];
  float outputs[2];
  decode_block(
      {.keys = 3, .width = 2, .q = q, .k = k, .v = v, .scores = scores, .outputs = outputs});
  EXPECT_NEAR(outputs[0], 3.0, 1e-6);
  EXPECT_NEAR(outputs[1], 4.0, 1e-6);
}

TEST(Attention, DecodesAsInDouble) {
  // Groups of 4, 1 and 3 heads; keys and widths that are no multiples of the vectors'.
  for (const AttentionShape& shape :
       {AttentionShape{.sequences = 3, .keys = 129, .query_heads = 8, .kv_heads = 2},
        AttentionShape{
            .sequences = 1, .keys = 1, .query_heads = 2, .kv_heads = 2, .head_width = 64},
        AttentionShape{
            .sequences = 2, .keys = 50, .query_heads = 6, .kv_heads = 2, .head_width = 20}}) {
    AttentionData data = random_attention(shape);
    std::ranges::fill(data.outputs, 7.0F);
    AttentionScratch scratch;
    for (const int threads : {1, 2}) {
      attention(shape, CpuBackend{threads}, arrays_of(data), scratch);
      // Sums of float over depths of some hundreds, and the exponential's 2e-7.
      EXPECT_LT(frobenius_error(data.outputs, reference_attention(shape, arrays_of(data))), 1e-5);
    }
  }
}

}  // namespace
}  // namespace switchyard::kernels
