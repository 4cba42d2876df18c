#include "kernels/layer/kernel_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "kernels/comm/agreement.hpp"
#include "kernels/ranks/cpu_rank.hpp"
#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

MoeLayerSpec small_layer() {
  return {.d_model = 4, .d_ff = 6, .num_experts = 3, .precision = Precision::kFloat32};
}

void expect_fault(Fault fault, const std::string& message, const std::function<void()>& call) {
  try {
    call();
    FAIL() << "expected: " << message;
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), fault);
    EXPECT_EQ(error.what(), message);
  }
}

void forward(const MoeLayerSpec& spec, const MoeWeights<float>& weights,
             std::span<const float> inputs, std::size_t num_outputs) {
  Buffer<float> outputs(num_outputs);
  LayerState<float> state;
  layer_forward<float>(spec, {}, {}, weights, inputs, outputs, state);
}

TEST(KernelError, NamesTheInputThatIsNotFinite) {
  const auto weights = random_weights<float>(small_layer(), 1);
  std::vector<float> inputs(8, 1.0F);
  inputs[6] = std::numeric_limits<float>::quiet_NaN();
  expect_fault(Fault::kNotFinite, "inputs: token 1, column 2 is nan",
               [&] { forward(small_layer(), weights, inputs, 8); });
  inputs[6] = -std::numeric_limits<float>::infinity();
  expect_fault(Fault::kNotFinite, "inputs: token 1, column 2 is -inf",
               [&] { forward(small_layer(), weights, inputs, 8); });
}

TEST(KernelError, NamesTheLogitThatIsNotFinite) {
  auto weights = random_weights<float>(small_layer(), 1);
  weights.router[2 * 4] = std::numeric_limits<float>::infinity();
  expect_fault(Fault::kNotFinite, "router: the logit of token 0 for expert 2 is inf",
               [&] { forward(small_layer(), weights, std::vector<float>(8, 1.0F), 8); });
}

TEST(KernelError, NamesTheGradientThatIsNotFinite) {
  auto run = run_layer<float>(small_layer(), 2);
  run.d_outputs[3] = std::numeric_limits<float>::quiet_NaN();
  BackwardScratch<float> scratch;
  expect_fault(Fault::kNotFinite, "d_outputs: token 0, column 3 is nan", [&] {
    layer_backward<float>(small_layer(), {}, {}, run.weights, run.inputs, run.state, run.d_outputs,
                          scratch, run.d_inputs, run.gradients);
  });
}

TEST(KernelError, LeavesNaNsOfExpertsInTheOutputs) {
  // The only expert's first weights are NaN: no activation hides that.
  for (const Activation activation : {Activation::kRelu, Activation::kGeglu, Activation::kSwiglu}) {
    MoeLayerSpec spec = small_layer();
    spec.num_experts = 1;
    spec.activation = activation;
    auto weights = random_weights<float>(spec, 1);
    std::ranges::fill(weights.experts.w1, std::numeric_limits<float>::quiet_NaN());
    Buffer<float> outputs(8);
    LayerState<float> state;
    layer_forward<float>(spec, {}, {}, weights, std::vector<float>(8, 1.0F), outputs, state);
    for (const float x : outputs) EXPECT_TRUE(std::isnan(x));
    expect_fault(Fault::kNotFinite, "outputs: token 0, column 0 is nan",
                 [&] { require_finite_outputs<float>({}, outputs, 4); });
  }
}

TEST(KernelError, IsWhatAnArrayBecomesThatNoMemoryHolds) {
  LocalFault fault;
  std::size_t size = ~std::size_t{0} / 2;
  fault.guard([&size] { std::vector<int> numbers(size); });
  ASSERT_TRUE(fault.happened());
  EXPECT_EQ(fault.fault(), Fault::kAllocation);
  EXPECT_EQ(fault.message(), "out of memory: an array that no memory can hold");
}

TEST(KernelError, NamesTheArgumentOfAnotherShape) {
  auto weights = random_weights<float>(small_layer(), 1);
  const std::vector<float> inputs(8, 1.0F);
  expect_fault(Fault::kShape, "inputs: expected a multiple of 4 numbers, got 7",
               [&] { forward(small_layer(), weights, std::span{inputs}.first(7), 8); });
  expect_fault(Fault::kShape, "outputs: expected 2 * 4 numbers, got 4",
               [&] { forward(small_layer(), weights, inputs, 4); });
  weights.experts.w2.resize(5);
  expect_fault(Fault::kShape, "w2: expected 12 * 6 numbers, got 5",
               [&] { forward(small_layer(), weights, inputs, 8); });
}

TEST(KernelError, NamesTheFieldOfALayerThatCannotBe) {
  const auto weights = random_weights<float>(small_layer(), 1);
  const std::vector<float> inputs(8, 1.0F);
  MoeLayerSpec spec = small_layer();
  spec.router.top_k = 4;
  expect_fault(Fault::kSpec, "layer: top_k is 4, expected 1 to num_experts, 3",
               [&] { forward(spec, weights, inputs, 8); });
  spec = small_layer();
  spec.capacity.capacity_factor = 0.0;
  expect_fault(Fault::kSpec, "layer: capacity_factor is 0, expected a positive number",
               [&] { forward(spec, weights, inputs, 8); });
  spec = small_layer();
  spec.precision = Precision::kSelective;
  expect_fault(Fault::kSpec, "layer: this precision needs bfloat16 tokens, got float",
               [&] { forward(spec, weights, inputs, 8); });
}

TEST(KernelError, SaysHowMuchMemoryWasRefused) {
  // 2^60 floats are 2^62 bytes; the second number of bytes would not even fit 64 bits.
  expect_fault(Fault::kAllocation, "cannot allocate 1152921504606846976 * 4 bytes",
               [] { Buffer<float> buffer(std::size_t{1} << 60); });
  expect_fault(Fault::kAllocation, "cannot allocate 18446744073709551615 * 4 bytes",
               [] { Buffer<float> buffer(~std::size_t{0}); });
}

}  // namespace
}  // namespace switchyard::kernels
