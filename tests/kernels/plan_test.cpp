#include "kernels/cpu/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/layer/row_ids.hpp"

namespace switchyard::kernels {
namespace {

using testing::ElementsAre;

std::vector<std::int32_t> list(const Buffer<std::int32_t>& buffer) {
  return {buffer.begin(), buffer.end()};
}

MoeLayerSpec layer_of(int num_experts, int top_k) {
  return {.d_model = 1, .d_ff = 1, .num_experts = num_experts, .router = {.top_k = top_k}};
}

// Tokens (0: 2, 0), (1: 0, 1), (2: 2, none), (3: 1, 2).
const std::vector<std::int32_t> kExperts{2, 0, 0, 1, 2, -1, 1, 2};

TEST(BuildPlan, SortsByExpertThenToken) {
  DispatchPlan plan;
  build_plan(layer_of(4, 2), kExperts, plan);
  // Expert 0: tokens 0 and 1; 1: tokens 1 and 3; 2: tokens 0, 2, 3; 3: none.
  EXPECT_THAT(list(plan.offsets), ElementsAre(0, 2, 4, 7, 7));
  EXPECT_THAT(list(plan.source_token), ElementsAre(0, 1, 1, 3, 0, 2, 3));
  EXPECT_THAT(list(plan.source_choice), ElementsAre(1, 0, 1, 0, 0, 0, 1));
  EXPECT_THAT(list(plan.dst_row), ElementsAre(4, 0, 1, 2, 5, -1, 3, 6));
  EXPECT_THAT(list(plan.num_chosen), ElementsAre(2, 2, 3, 0));
  EXPECT_EQ(plan.num_dropped, 0);
}

TEST(BuildPlan, KeepsFirstChoicesBeforeSecondOnes) {
  // One slot: 4 tokens * 1.0 / 4 experts. First choices 2, 0, 2, 1: token 2 finds 2 taken; then all
  // second choices find their expert taken.
  MoeLayerSpec spec = layer_of(4, 2);
  spec.capacity = {.capacity_factor = 1.0, .minimum = 0};
  DispatchPlan plan;
  build_plan(spec, kExperts, plan);
  EXPECT_THAT(list(plan.dst_row), ElementsAre(2, -1, 0, -1, -1, -1, 1, -1));
  EXPECT_THAT(list(plan.offsets), ElementsAre(0, 1, 2, 3, 3));
  EXPECT_THAT(list(plan.num_chosen), ElementsAre(2, 2, 3, 0));
  EXPECT_EQ(plan.num_dropped, 4);  // of 7
}

TEST(BuildPlan, KeepsATokensChoicesTogetherWithTokenMajorPriority) {
  // Token 0 takes 2 and 0, so token 1 gets only 1, token 2 nothing, token 3 nothing.
  MoeLayerSpec spec = layer_of(4, 2);
  spec.capacity = {.capacity_factor = 1.0, .minimum = 0, .priority = SlotPriority::kTokenMajor};
  DispatchPlan plan;
  build_plan(spec, kExperts, plan);
  EXPECT_THAT(list(plan.dst_row), ElementsAre(2, 0, -1, 1, -1, -1, -1, -1));
}

TEST(BuildPlan, EmptiesTheSlotsForEachGroup) {
  // Groups of 2, 2 and 1 tokens, all to expert 0, one slot in each: tokens 0, 2 and 4.
  MoeLayerSpec spec = layer_of(2, 1);
  spec.capacity = {.capacity_factor = 1.0, .minimum = 1, .group_tokens = 2};
  DispatchPlan plan;
  build_plan(spec, std::vector<std::int32_t>(5, 0), plan);
  EXPECT_THAT(list(plan.source_token), ElementsAre(0, 2, 4));
}

TEST(BuildPlan, OfNoTokensIsEmpty) {
  DispatchPlan plan;
  build_plan(layer_of(3, 2), {}, plan);
  EXPECT_THAT(list(plan.offsets), ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(plan.num_rows, 0);
}

TEST(BuildPlan, RejectsAnUnknownExpert) {
  DispatchPlan plan;
  const std::vector<std::int32_t> experts{0, 4};
  try {
    build_plan(layer_of(4, 1), experts, plan);
    FAIL();
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kShape);
    EXPECT_STREQ(error.what(), "plan: choice 1 is expert 4, expected -1 to 3");
  }
}

TEST(RowIds, NameTokenAndChoiceInTheBatch) {
  DispatchPlan plan;
  build_plan(layer_of(4, 2), kExperts, plan);
  const auto ids = row_ids(plan, {.first_token = 100}, 2);
  // Row 0 is choice 1 of token 0: 100 * 2 + 1; row 1 choice 0 of token 1: 101 * 2; and so on.
  EXPECT_THAT(std::vector<std::int64_t>(ids.begin(), ids.end()),
              ElementsAre(201, 202, 203, 206, 200, 204, 207));
}

TEST(ExpertCapacity, CountsAsTheSimulatorDoes) {
  MoeLayerSpec spec = layer_of(8, 2);
  EXPECT_FALSE(expert_capacity(spec, 100).has_value());
  spec.capacity = {.capacity_factor = 1.25, .minimum = 0};
  EXPECT_EQ(expert_capacity(spec, 100), 15);  // floor(100 * 1.25 / 8 = 15.625)
  spec.capacity.rounding = CapacityRounding::kUp;
  EXPECT_EQ(expert_capacity(spec, 100), 16);
  spec.capacity.times_top_k = true;
  EXPECT_EQ(expert_capacity(spec, 100), 32);  // ceil(31.25)
  EXPECT_EQ(expert_capacity(spec, 2), 1);     // ceil(0.625)
  spec.capacity.minimum = 4;
  EXPECT_EQ(expert_capacity(spec, 2), 4);
  spec.capacity.capacity_factor = 100.0;
  EXPECT_EQ(expert_capacity(spec, 100), 100);  // a token asks an expert at most once
}

}  // namespace
}  // namespace switchyard::kernels
