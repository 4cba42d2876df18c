#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::int64_t kTokens = 12;

struct Problem {
  MoeLayerSpec spec;
  StepContext step{.seed = 9};
  ReferenceWeights weights;
  std::vector<double> inputs;
  std::vector<double> d_outputs;
};

Problem problem_of(const MoeLayerSpec& spec) {
  const auto size = static_cast<std::size_t>(kTokens * spec.d_model);
  return {.spec = spec,
          .weights = reference_weights(random_weights<float>(spec, 5)),
          .inputs = in_double(uniform_numbers<float>(size, 6)),
          .d_outputs = in_double(uniform_numbers<float>(size, 7))};
}

/// What reference_backward differentiates.
double objective(const Problem& problem) {
  ReferenceState state;
  const auto outputs =
      reference_forward(problem.spec, problem.step, problem.weights, problem.inputs, state);
  double sum = state.routing.aux_loss + state.routing.z_loss;
  for (std::size_t i = 0; i < outputs.size(); ++i) sum += problem.d_outputs[i] * outputs[i];
  return sum;
}

/// Compares d with central differences of step h. Their error is of order h^2 = 1e-10 times a third
/// derivative, and 1e-16 / h = 1e-11 from rounding; a wrong term would be of order 0.01 and more.
void expect_slopes(Problem& problem, std::vector<double>& x, const std::vector<double>& d,
                   const std::string& what) {
  constexpr double kStep = 1e-5;
  ASSERT_EQ(x.size(), d.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i];
    x[i] = kept + kStep;
    const double above = objective(problem);
    x[i] = kept - kStep;
    const double below = objective(problem);
    x[i] = kept;
    ASSERT_NEAR(d[i], (above - below) / (2 * kStep), 2e-7) << what << " " << i;
  }
}

void expect_gradients(const MoeLayerSpec& spec) {
  Problem problem = problem_of(spec);
  ReferenceState state;
  static_cast<void>(reference_forward(spec, problem.step, problem.weights, problem.inputs, state));
  const auto gradients = reference_backward(spec, problem.step, problem.weights, problem.inputs,
                                            state, problem.d_outputs);
  expect_slopes(problem, problem.inputs, gradients.inputs, "input");
  expect_slopes(problem, problem.weights.router, gradients.weights.router, "router");
  expect_slopes(problem, problem.weights.w1, gradients.weights.w1, "w1");
  expect_slopes(problem, problem.weights.w2, gradients.weights.w2, "w2");
}

/// Heavy losses, so that their slopes are as large as those through the experts.
MoeLayerSpec tiny_layer() {
  return {.d_model = 5,
          .d_ff = 3,
          .num_experts = 4,
          .router = {.top_k = 2, .aux_loss_weight = 2.0, .z_loss_weight = 0.5}};
}

TEST(ReferenceBackward, IsTheSlopeForEveryActivation) {
  for (const auto activation : {Activation::kRelu, Activation::kGeglu, Activation::kSwiglu}) {
    MoeLayerSpec spec = tiny_layer();
    spec.activation = activation;
    expect_gradients(spec);
  }
}

TEST(ReferenceBackward, IsTheSlopeForEveryGate) {
  for (const auto second : {SecondChoice::kAlways, SecondChoice::kThreshold, SecondChoice::kRandom,
                            SecondChoice::kNever})
    for (const bool renormalized : {false, true}) {
      MoeLayerSpec spec = tiny_layer();
      spec.router.second_choice = second;
      spec.router.renormalized = renormalized;
      expect_gradients(spec);
    }
  MoeLayerSpec spec = tiny_layer();
  spec.router.top_k = 1;
  expect_gradients(spec);
}

TEST(ReferenceBackward, IsTheSlopeWithDropsGroupsJitterAndDropout) {
  MoeLayerSpec spec = tiny_layer();
  spec.router.jitter = 0.2;
  spec.expert_dropout = 0.3;
  // 5 tokens of a group, 5 * 1 / 4 = 1 slot.
  spec.capacity = {.capacity_factor = 1.0, .minimum = 0, .group_tokens = 5};
  expect_gradients(spec);
}

}  // namespace
}  // namespace switchyard::kernels
