#include <gtest/gtest.h>

#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

MoeLayerSpec layer_of(Precision precision) {
  return {.d_model = 300,  // more than one block of depth
          .d_ff = 70,
          .num_experts = 6,
          .activation = Activation::kGeglu,
          .precision = precision,
          .router = {.top_k = 2, .second_choice = SecondChoice::kRandom, .jitter = 0.1},
          .capacity = {.capacity_factor = 1.0, .group_tokens = 32},
          .expert_dropout = 0.1};
}

template <class T>
void expect_same_whatever_the_threads(Precision precision) {
  const auto first = run_layer<T>(layer_of(precision), 512, 1);
  for (const int num_threads : {1, 2, 5}) {
    const auto again = run_layer<T>(layer_of(precision), 512, num_threads);
    EXPECT_TRUE(have_same_bits(first.outputs, again.outputs)) << num_threads;
    EXPECT_TRUE(have_same_bits(first.d_inputs, again.d_inputs)) << num_threads;
    EXPECT_TRUE(have_same_bits(first.gradients.router, again.gradients.router)) << num_threads;
    EXPECT_TRUE(have_same_bits(first.gradients.w1, again.gradients.w1)) << num_threads;
    EXPECT_TRUE(have_same_bits(first.gradients.w2, again.gradients.w2)) << num_threads;
    EXPECT_EQ(first.state.routing.aux_loss, again.state.routing.aux_loss);
  }
}

TEST(LayerDeterminism, ThreadsChangeNoBit) {
  expect_same_whatever_the_threads<float>(Precision::kFloat32);
  expect_same_whatever_the_threads<BFloat16>(Precision::kSelective);
}

/// A batch of 128 tokens in `num_calls` calls, as that many ranks would compute it.
template <class T>
struct SplitRun {
  std::vector<float> logits;
  std::vector<double> outputs;
  std::vector<double> d_inputs;
  double losses = 0.0;
};

template <class T>
SplitRun<T> run_split(Precision precision, std::int64_t num_calls) {
  const MoeLayerSpec spec = layer_of(precision);
  const std::int64_t num_tokens = 128 / num_calls;
  const auto weights = random_weights<T>(spec, 11);
  const auto inputs = uniform_numbers<T>(128 * 300, 21);
  SplitRun<T> result;
  for (std::int64_t call = 0; call < num_calls; ++call) {
    const auto size = static_cast<std::size_t>(num_tokens * spec.d_model);
    const std::span<const T> part{inputs.data() + static_cast<std::size_t>(call) * size, size};
    const StepContext step{.seed = 3, .first_token = call * num_tokens, .batch_tokens = 128};
    LayerState<T> state;
    BackwardScratch<T> scratch;
    MoeGradients gradients;
    Buffer<T> outputs(size);
    Buffer<T> d_inputs(size);
    layer_forward<T>(spec, step, {}, weights, part, outputs, state);
    layer_backward<T>(spec, step, {}, weights, part, state, part, scratch, d_inputs, gradients);
    const auto& logits = state.routing.logits;
    result.logits.insert(result.logits.end(), logits.begin(), logits.end());
    std::ranges::copy(in_double(outputs), std::back_inserter(result.outputs));
    std::ranges::copy(in_double(d_inputs), std::back_inserter(result.d_inputs));
    result.losses += state.routing.aux_loss + state.routing.z_loss;
  }
  return result;
}

template <class T>
void expect_same_whatever_the_calls(Precision precision) {
  const auto whole = run_split<T>(precision, 1);
  for (const std::int64_t num_calls : {2, 4}) {
    const auto parts = run_split<T>(precision, num_calls);
    EXPECT_EQ(whole.logits, parts.logits) << num_calls;
    EXPECT_EQ(whole.outputs, parts.outputs) << num_calls;
    EXPECT_EQ(whole.d_inputs, parts.d_inputs) << num_calls;
    EXPECT_NEAR(whole.losses, parts.losses, 1e-6 * whole.losses) << num_calls;
  }
}

// Groups of 32 tokens, so a call of 32, 64 or 128 has whole groups.
TEST(LayerDeterminism, ATokensResultDoesNotDependOnTheOtherTokensOfTheCall) {
  expect_same_whatever_the_calls<float>(Precision::kFloat32);
  expect_same_whatever_the_calls<BFloat16>(Precision::kSelective);
}

}  // namespace
}  // namespace switchyard::kernels
