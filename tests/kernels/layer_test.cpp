#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

/// Largest relative Frobenius errors against the reference.
struct Tolerance {
  double layer;
  double weight_gradients;
};

// float: products of depth k in float are off by about sqrt(k) * 2^-24 < 1e-5. bfloat16: each of
// the four numbers stored on the way has a relative error of up to 2^-9 = 0.002.
constexpr Tolerance kFloatTolerance{1e-5, 1e-5};
constexpr Tolerance kBFloat16Tolerance{1e-2, 6e-3};

template <class T>
void expect_reference(const MoeLayerSpec& spec, std::int64_t num_tokens, bool one_hot = false) {
  const StepContext step{.seed = 3, .first_token = 5};
  const auto run = run_layer<T>(spec, num_tokens, 2, step, one_hot);
  const auto weights = reference_weights(run.weights);
  const auto inputs = in_double(run.inputs);
  ReferenceState state;
  const auto outputs = reference_forward(spec, step, weights, inputs, state);
  const auto expected =
      reference_backward(spec, step, weights, inputs, state, in_double(run.d_outputs));

  ASSERT_TRUE(have_same_bits(run.state.routing.experts, state.routing.experts));
  EXPECT_TRUE(have_same_bits(run.state.plan.dst_row, state.plan.dst_row));
  EXPECT_LT(frobenius_error(run.state.routing.logits, state.routing.logits), 1e-5);
  EXPECT_LT(frobenius_error(run.state.routing.probabilities, state.routing.probabilities), 1e-5);
  EXPECT_LT(frobenius_error(run.state.routing.gates, state.routing.gates), 1e-5);
  EXPECT_NEAR(run.state.routing.aux_loss, state.routing.aux_loss, 1e-5 * state.routing.aux_loss);
  EXPECT_NEAR(run.state.routing.z_loss, state.routing.z_loss, 1e-5 * state.routing.z_loss);
  const auto tolerance = std::is_same_v<T, float> ? kFloatTolerance : kBFloat16Tolerance;
  EXPECT_LT(frobenius_error(run.outputs, outputs), tolerance.layer);
  EXPECT_LT(frobenius_error(run.d_inputs, expected.inputs), tolerance.layer);
  // Differences of two gates' gradients: what their rounding leaves weighs more where they cancel.
  EXPECT_LT(frobenius_error(run.gradients.router, expected.weights.router), tolerance.layer);
  EXPECT_LT(frobenius_error(run.gradients.w1, expected.weights.w1), tolerance.weight_gradients);
  EXPECT_LT(frobenius_error(run.gradients.w2, expected.weights.w2), tolerance.weight_gradients);
}

void expect_reference_in_both(MoeLayerSpec spec, std::int64_t num_tokens, bool one_hot = false) {
  spec.precision = Precision::kFloat32;
  expect_reference<float>(spec, num_tokens, one_hot);
  spec.precision = Precision::kSelective;
  expect_reference<BFloat16>(spec, num_tokens, one_hot);
}

MoeLayerSpec small_layer() {
  return {.d_model = 40,
          .d_ff = 24,
          .num_experts = 8,
          .activation = Activation::kSwiglu,
          .router = {.top_k = 2, .renormalized = true, .z_loss_weight = 0.01}};
}

class MoeLayerExperts : public testing::TestWithParam<int> {};

TEST_P(MoeLayerExperts, MatchesTheReference) {
  MoeLayerSpec spec = small_layer();
  spec.num_experts = GetParam();
  spec.router.top_k = std::min(2, GetParam());
  expect_reference_in_both(spec, 67);  // fewer than 128 and 257 experts: some are empty
  spec.router.top_k = 1;
  spec.router.renormalized = false;
  spec.capacity.capacity_factor = 1.25;
  expect_reference_in_both(spec, 67);
}

INSTANTIATE_TEST_SUITE_P(MoeLayer, MoeLayerExperts, testing::Values(1, 2, 7, 8, 64, 128, 257));

class MoeLayerTokens : public testing::TestWithParam<int> {};

TEST_P(MoeLayerTokens, MatchesTheReference) { expect_reference_in_both(small_layer(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(MoeLayer, MoeLayerTokens, testing::Values(0, 1, 33, 3001));

class MoeLayerActivations : public testing::TestWithParam<Activation> {};

TEST_P(MoeLayerActivations, MatchesTheReference) {
  MoeLayerSpec spec = small_layer();
  spec.activation = GetParam();
  spec.d_ff = 37;  // no multiple of a vector
  expect_reference_in_both(spec, 90);
}

INSTANTIATE_TEST_SUITE_P(MoeLayer, MoeLayerActivations,
                         testing::Values(Activation::kRelu, Activation::kGeglu,
                                         Activation::kSwiglu));

TEST(MoeLayer, MatchesTheReferenceAtTheWidthOfSwitchC) {
  MoeLayerSpec spec = small_layer();
  spec.d_model = 2080;
  spec.num_experts = 4;
  expect_reference_in_both(spec, 40);
}

TEST(MoeLayer, MatchesTheReferenceWithJitterAndDropout) {
  MoeLayerSpec spec = small_layer();
  spec.router.jitter = 0.1;
  spec.expert_dropout = 0.4;
  expect_reference_in_both(spec, 90);
}

TEST(MoeLayer, MatchesTheReferenceWhenAllTokensChooseOneExpert) {
  MoeLayerSpec spec = small_layer();
  spec.router.top_k = 1;
  spec.router.renormalized = false;
  expect_reference_in_both(spec, 67, true);
  spec.capacity.capacity_factor = 1.0;  // floor(67 / 8) = 8 of 67 tokens are kept
  expect_reference_in_both(spec, 67, true);
}

class MoeLayerSecondChoices : public testing::TestWithParam<SecondChoice> {};

TEST_P(MoeLayerSecondChoices, MatchTheReference) {
  for (const bool renormalized : {false, true}) {
    MoeLayerSpec spec = small_layer();
    spec.router.second_choice = GetParam();
    spec.router.renormalized = renormalized;
    spec.capacity = {.capacity_factor = 1.0, .group_tokens = 30};
    expect_reference_in_both(spec, 80);
  }
}

INSTANTIATE_TEST_SUITE_P(MoeLayer, MoeLayerSecondChoices,
                         testing::Values(SecondChoice::kAlways, SecondChoice::kThreshold,
                                         SecondChoice::kRandom, SecondChoice::kNever));

TEST(MoeLayer, OfDroppedTokensGivesZeros) {
  MoeLayerSpec spec = small_layer();
  spec.precision = Precision::kFloat32;
  spec.router.aux_loss_weight = spec.router.z_loss_weight = 0.0;
  // 0.01 * 64 / 8 = 0.08 slots, rounded down to none.
  spec.capacity = {.capacity_factor = 0.01, .minimum = 0};
  const auto run = run_layer<float>(spec, 64);
  EXPECT_EQ(run.state.plan.num_rows, 0);
  EXPECT_EQ(run.state.plan.num_dropped, 128);
  EXPECT_THAT(std::vector<float>(run.outputs.begin(), run.outputs.end()), testing::Each(0.0F));
  EXPECT_THAT(std::vector<float>(run.d_inputs.begin(), run.d_inputs.end()), testing::Each(0.0F));
  for (const auto* gradient : {&run.gradients.router, &run.gradients.w1, &run.gradients.w2})
    EXPECT_THAT(std::vector<float>(gradient->begin(), gradient->end()), testing::Each(0.0F));
}

TEST(MoeLayer, InPureBFloat16RoundsTheRouter) {
  MoeLayerSpec spec = small_layer();
  spec.precision = Precision::kBfloat16;
  const auto run = run_layer<BFloat16>(spec, 200);
  ReferenceState state;
  static_cast<void>(reference_forward(spec, {.seed = 3}, reference_weights(run.weights),
                                      in_double(run.inputs), state));
  for (const auto* of :
       {&run.state.routing.logits, &run.state.routing.probabilities, &run.state.routing.gates})
    for (const float x : *of) ASSERT_EQ(x, rounded_to_bfloat16(x));
  // Two roundings, of weights and of the logit, each of up to 2^-9.
  const double error = frobenius_error(run.state.routing.logits, state.routing.logits);
  EXPECT_LT(error, 2 * 0x1p-9);
  EXPECT_GT(error, 1e-4);
}

}  // namespace
}  // namespace switchyard::kernels
