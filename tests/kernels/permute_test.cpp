#include "kernels/cpu/permute.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/plan.hpp"
#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

using testing::ElementsAre;

std::vector<float> list(const Buffer<float>& buffer) { return {buffer.begin(), buffer.end()}; }

/// Three tokens: to experts 1 and 0; to 1 alone; to none.
DispatchPlan small_plan() {
  DispatchPlan plan;
  build_plan({.d_model = 2, .d_ff = 1, .num_experts = 2, .router = {.top_k = 2}},
             std::vector<std::int32_t>{1, 0, 1, -1, -1, -1}, plan);
  return plan;
}

TEST(Permute, CopiesTheBitsOfEachToken) {
  const std::int64_t d = 37;
  DispatchPlan plan;
  std::vector<std::int32_t> experts;
  for (int t = 0; t < 200; ++t) experts.push_back(t * 7 % 5);
  build_plan({.d_model = 37, .d_ff = 1, .num_experts = 5}, experts, plan);
  const auto inputs = uniform_numbers<BFloat16>(200 * 37, 1);
  Buffer<BFloat16> rows;
  poison(rows, 200 * 37);
  permute<BFloat16>(plan, CpuBackend{2}, 37, inputs, rows);
  for (std::int64_t t = 0; t < 200; ++t) {
    const std::int64_t row = plan.dst_row[static_cast<std::size_t>(t)];
    EXPECT_TRUE(
        std::equal(rows.data() + row * d, rows.data() + (row + 1) * d, inputs.data() + t * d));
  }
}

TEST(Combine, AddsWeightedRowsAndGivesZeroWithoutARow) {
  // Rows: 0 is token 0 at expert 0, 1 token 0 at expert 1, 2 token 1 at expert 1.
  const DispatchPlan plan = small_plan();
  const std::vector<float> gates{0.5F, 0.25F, 2.0F, 0.0F, 0.0F, 0.0F};
  const std::vector<float> rows{1, 2, 10, 20, 100, 200};
  Buffer<float> outputs;
  poison(outputs, 6);
  combine<float>(plan, {}, 2, gates, rows, outputs);
  // Token 0: 0.5 * (10, 20) + 0.25 * (1, 2); token 1: 2 * (100, 200).
  EXPECT_THAT(list(outputs), ElementsAre(5.25F, 10.5F, 200, 400, 0, 0));
}

TEST(CombineBackward, WeighsTheGradientAndMultipliesItWithTheRows) {
  const DispatchPlan plan = small_plan();
  const std::vector<float> gates{0.5F, 0.25F, 2.0F, 0.0F, 0.0F, 0.0F};
  const std::vector<float> rows{1, 2, 10, 20, 100, 200};
  const std::vector<float> d_outputs{4, 8, 1, 3, 5, 7};
  Buffer<float> d_rows;
  Buffer<float> d_gates;
  poison(d_rows, 6);
  poison(d_gates, 6);
  combine_backward<float>(plan, {}, 2, gates, rows, d_outputs, d_rows, d_gates);
  EXPECT_THAT(list(d_rows), ElementsAre(1, 2, 2, 4, 2, 6));
  // 4 * 10 + 8 * 20, 4 * 1 + 8 * 2, 1 * 100 + 3 * 200, then nothing.
  EXPECT_THAT(list(d_gates), ElementsAre(200, 20, 700, 0, 0, 0));
}

TEST(Unpermute, AddsTheRowsOfAToken) {
  const DispatchPlan plan = small_plan();
  const std::vector<float> d_rows{1, 2, 10, 20, 100, 200};
  const std::vector<float> addend{0.5F, 0, 0, 0, 7, 8};
  Buffer<float> d_inputs;
  poison(d_inputs, 6);
  unpermute<float>(plan, {}, 2, d_rows, {}, d_inputs);
  EXPECT_THAT(list(d_inputs), ElementsAre(11, 22, 100, 200, 0, 0));
  unpermute<float>(plan, {}, 2, d_rows, addend, d_inputs);
  EXPECT_THAT(list(d_inputs), ElementsAre(11.5F, 22, 100, 200, 7, 8));
}

}  // namespace
}  // namespace switchyard::kernels
