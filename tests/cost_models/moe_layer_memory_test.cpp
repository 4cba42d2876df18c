#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "cost_models/memory.hpp"
#include "sim/workload/block_operators.hpp"
#include "tests/workload/model_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

// Hwang et al., "Tutel: Adaptive Mixture-of-Experts at Scale", MLSys 2023 (arXiv:2206.03382),
// table 9: GPU memory of one MoE layer, 4096 wide and 4096 hidden, top-2, two experts on the GPU.
// The type is not stated: float32 is the default of the library's example, whose layer is a ReLU
// between two products, capacity factor 1, and no normalisation.
struct PublishedRow {
  double tokens;
  double gib;  ///< to 0.1
};
constexpr std::array<PublishedRow, 4> kTutel = {
    {{4096, 2.9}, {8192, 3.2}, {16384, 4.0}, {32768, 5.7}}};
constexpr double kGib = 1024.0 * 1024 * 1024;

TrainingStepSpec tutel_layer() {
  TrainingStepSpec spec{.model = tiny_model(),
                        .lengths = {.input_tokens = 0, .target_tokens = 4096},
                        .sequences = 1,
                        .microbatch_sequences = 1,
                        .partition = {},
                        .precision = Precision::kFloat32,
                        .moe = {},
                        .lowering = {}};
  spec.model.d_model = spec.model.d_ff = 4096;
  spec.model.moe = {.num_experts = 2, .top_k = 2, .layer_period = 1};
  spec.moe.capacity_times_top_k = true;
  spec.lowering.dispatch = DispatchKind::kPermutation;
  spec.lowering.separate_activation = true;
  spec.lowering.dropout = false;
  spec.lowering.capacity_multiple = 1;
  return spec;
}

const DeviceProfile kDevice{.name = "plain",
                            .peak_bfloat16 = 1_TFLOPps,
                            .memory_bandwidth = 1_GBps,
                            .memory_capacity = 80_GB,
                            .memory_usable = 1.0,
                            .matmul_tile = {},
                            .memory_tile = {},
                            .matmul_efficiency = {},
                            .memory_efficiency = {},
                            .operator_overhead = {}};

/// What the layer keeps for its backward pass, its input included.
double kept_bytes(const TrainingStepSpec& spec, double tokens) {
  StepGraph graph;
  graph.partition = spec.partition;
  graph.microbatch = permuted_experts(spec, "layer", static_cast<std::int64_t>(tokens), 0).forward;
  const double input = tokens * 4096 * 4;
  return input + training_memory(spec, graph, kDevice).activations.base();
}

// A token's vector of 4096 float32 is 16,384 B and has two rows: input 1, what the first product
// reads 2, ReLU's output 2, experts' results (for the gates' gradients) 2; and two gates of 4 B.
//   7 * 16384 + 8 = 114,696 B
TEST(MoeLayerMemory, IsSevenVectorsOfATokenWithReluAndTwoChoices) {
  EXPECT_EQ(kept_bytes(tutel_layer(), 4096), 4096 * 114'696.0);
}

// GELU's gradient needs what it read: 2 vectors more. A gated one reads twice as much: 4 more.
TEST(MoeLayerMemory, KeepsWhatOtherActivationsReadAsWell) {
  TrainingStepSpec spec = tutel_layer();
  spec.model.activation = Activation::kGelu;
  EXPECT_EQ(kept_bytes(spec, 4096), 4096 * (114'696.0 + 2 * 16'384));
  spec.model.activation = Activation::kSwiglu;
  EXPECT_EQ(kept_bytes(spec, 4096), 4096 * (114'696.0 + 4 * 16'384));
}

// Dropout keeps what it lets through beside the ReLU's output: 2 vectors more.
TEST(MoeLayerMemory, KeepsWhatDropoutLetsThrough) {
  TrainingStepSpec spec = tutel_layer();
  spec.lowering.dropout = true;
  EXPECT_EQ(kept_bytes(spec, 4096), 4096 * (114'696.0 + 2 * 16'384));
}

// (5.7 - 2.9) GiB / 28672 tokens = 104,858 B a token, 101,113 to 108,602 within the rounding; ours
// is 9.4 % above. It lies between what is kept with (7 vectors) and without the experts' results
// (6: 98,312 B), and the rows are no straight line (79, 105 and 111 kB a token).
TEST(PublishedMemory, OfTutelsLayerGrowsWithTokensWithinTenPercent) {
  const double ours = kept_bytes(tutel_layer(), 32768) - kept_bytes(tutel_layer(), 4096);
  EXPECT_NEAR(ours / ((5.7 - 2.9) * kGib), 1.0, 0.10);
}

// Beside what is kept, weights and gradients of 2 experts * 2 * 4096^2 float32: 0.5 GiB together
// (plain gradient descent has no state). What remains of each row is 1.7 to 2.0 GiB that no class
// here contains: the CUDA context, libraries, and what the allocator holds. It must not depend on
// the tokens by more than that slope explains: 28672 * 9838 B = 0.26 GiB.
TEST(PublishedMemory, OfTutelsLayerLeavesAConstantRemainder) {
  constexpr double kState = 2.0 * 2 * 2 * 4096 * 4096 * 4;
  for (const PublishedRow& row : kTutel) {
    const double remainder = row.gib - (kState + kept_bytes(tutel_layer(), row.tokens)) / kGib;
    EXPECT_GT(remainder, 1.65) << row.tokens;
    EXPECT_LT(remainder, 2.01) << row.tokens;
  }
}

}  // namespace
}  // namespace switchyard
