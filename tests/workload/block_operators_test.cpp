#include "sim/workload/block_operators.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;

/// Bytes that an operator moves, without tiles.
double moved_bytes(const StepNode& node) {
  double bytes = 0.0;
  for (const Traffic& traffic : std::get<Operator>(node).traffic)
    bytes += traffic.passes * num_elements(traffic.tensor) * traffic.tensor.element_bytes;
  return bytes;
}

double moved_bytes(const std::vector<StepNode>& nodes, const std::string& name) {
  for (const StepNode& node : nodes)
    if (const auto* op = std::get_if<Operator>(&node); op != nullptr && op->name == name)
      return moved_bytes(node);
  ADD_FAILURE() << "no operator " << name;
  return 0.0;
}

/// 3 matrices of (10, 20), 5 rows each: x has 150 elements, y 300, the weights 600.
LinearSpec linear() {
  return {.name = "linear",
          .operator_class = OperatorClass::kFeedForward,
          .batch = 3.0,
          .rows = 5,
          .inputs = 10,
          .outputs = 20,
          .activation_bytes = 2,
          .adds_residual = false,
          .masks_input_gradient = false,
          .saved_outputs = 1};
}

BlockNodes block_of(const LinearSpec& spec) {
  BlockNodes block;
  add_linear(spec, LoweringSpec{}, block);
  return block;
}

TEST(AddLinear, MovesEachOperandOnce) {
  const BlockNodes block = block_of(linear());
  // Activations of 2 B, weights and gradients of 4 B.
  EXPECT_EQ(moved_bytes(block.forward, "linear.forward"), 2 * 150 + 4 * 600 + 2 * 300);
  EXPECT_EQ(moved_bytes(block.backward, "linear.input_gradient"), 2 * 300 + 4 * 600 + 2 * 150);
  EXPECT_EQ(moved_bytes(block.backward, "linear.weight_gradient"), 2 * 150 + 2 * 300 + 4 * 600);
  // Reads the gradient and the sum so far, writes the sum.
  EXPECT_EQ(moved_bytes(block.backward, "linear.accumulate"), 3 * 4 * 600);
}

TEST(AddLinear, ReadsTheResidualAndTheMaskWhenAsked) {
  LinearSpec spec = linear();
  spec.adds_residual = true;
  spec.masks_input_gradient = true;
  const BlockNodes block = block_of(spec);
  EXPECT_EQ(moved_bytes(block.forward, "linear.forward"), 2 * 150 + 4 * 600 + 2 * 2 * 300);
  EXPECT_EQ(moved_bytes(block.backward, "linear.input_gradient"), 2 * 300 + 4 * 600 + 2 * 2 * 150);
}

TEST(AddLinear, MultipliesForwardAndTwiceBackward) {
  const BlockNodes block = block_of(linear());
  // 2 * 3 * 5 * 10 * 20, whichever operand is the result.
  for (const StepNode& node : {block.forward[0], block.backward[0], block.backward[1]})
    EXPECT_EQ(matmul_flop(std::get<Operator>(node).matmul), Flop{6000});
}

TEST(AddNorm, ReadsAndWritesTheStream) {
  BlockNodes block;
  add_norm(tiny_step(), "block", 4, block);
  // (4, 8) float32: 128 B. Backward reads input, its gradient and the residual's, writes one.
  EXPECT_EQ(moved_bytes(block.forward, "block.norm.forward"), 2 * 128);
  EXPECT_EQ(moved_bytes(block.backward, "block.norm.backward"), 4 * 128);
}

TEST(AttentionBlock, MovesScoresForEachHead) {
  const TrainingStepSpec spec = tiny_step();
  const BlockNodes block = attention_block(spec, "a", {1.0, 4}, {1.0, 4});
  // Queries, keys, values and context are (4, 8): 128 B. Scores are (2 heads, 4, 4): 128 B too.
  for (const char* name : {"a.scores.forward", "a.context.forward"})
    EXPECT_EQ(moved_bytes(block.forward, name), 3 * 128) << name;
  EXPECT_EQ(moved_bytes(block.forward, "a.softmax.forward"), 3 * 128);    // default passes
  EXPECT_EQ(moved_bytes(block.backward, "a.softmax.backward"), 4 * 128);  // default passes
  for (const char* name : {"a.context.weight_gradient", "a.context.value_gradient",
                           "a.scores.query_gradient", "a.scores.key_gradient"})
    EXPECT_EQ(moved_bytes(block.backward, name), 3 * 128) << name;
}

TEST(AttentionBlock, AttendsToTokensOfAnotherStack) {
  const BlockNodes block = attention_block(tiny_step(), "a", {2.0, 3}, {2.0, 5});
  // 2 sequences, 2 heads: scores (4, 3, 5) of 240 B, queries (6, 8) of 192 B, keys (10, 8) of 320
  // B.
  EXPECT_EQ(moved_bytes(block.forward, "a.scores.forward"), 240 + 192 + 320);
  // Keys and values are projected from the 10 tokens attended to, weights (8, 8) of 256 B.
  EXPECT_EQ(moved_bytes(block.forward, "a.key.forward"), 320 + 256 + 320);
  EXPECT_EQ(moved_bytes(block.forward, "a.query.forward"), 192 + 256 + 192);
}

TEST(EmbeddingBlock, ReadsTheTableOrTheRows) {
  TrainingStepSpec spec = tiny_step();
  const BlockNodes product = embedding_block(spec, "e", 4);
  EXPECT_EQ(moved_bytes(product.forward, "e.forward"), 128 + 1024);  // (4, 8) and (32, 8) float32
  EXPECT_EQ(moved_bytes(product.backward, "e.backward"), 128 + 1024);
  spec.lowering.one_hot_embedding = false;
  EXPECT_EQ(moved_bytes(embedding_block(spec, "e", 4).forward, "e.forward"), 2 * 128);
}

/// 2 groups of 1024 tokens, 128 experts with 8 slots, d_model 768; on one of 32 ranks.
BlockNodes moe_block_with_choices(int top_k, Precision precision = Precision::kSelective) {
  TrainingStepSpec spec = step_of(switch_base());
  spec.model.moe.top_k = top_k;
  spec.precision = precision;
  return moe_block(spec, "m", 2048);
}

TEST(MoeBlockTraffic, PassesOverTheOneHotTensor) {
  // (2048, 128, 8) float32, 6 passes by default; backward for each choice.
  const double tensor = 2048.0 * 128 * 8 * 4;
  const BlockNodes one = moe_block_with_choices(1);
  EXPECT_EQ(moved_bytes(one.forward, "m.one_hot.forward"), 6 * tensor);
  EXPECT_EQ(moved_bytes(one.backward, "m.one_hot.backward"), 6 * tensor);
  const BlockNodes two = moe_block_with_choices(2);
  EXPECT_EQ(moved_bytes(two.forward, "m.one_hot.forward"), 6 * tensor);
  EXPECT_EQ(moved_bytes(two.backward, "m.one_hot.backward"), 2 * 6 * tensor);
}

TEST(MoeBlockTraffic, GatesInFloat32ForEachChoice) {
  // (2048, 128) float32: 8 passes forward, 4 backward, and 2 for the positions.
  const double gates = 2048.0 * 128 * 4;
  for (const Precision precision : {Precision::kSelective, Precision::kBfloat16})
    for (const int top_k : {1, 2}) {
      const BlockNodes block = moe_block_with_choices(top_k, precision);
      EXPECT_EQ(moved_bytes(block.forward, "m.gating.forward"), 8 * top_k * gates);
      EXPECT_EQ(moved_bytes(block.forward, "m.positions"), 2 * top_k * gates);
      EXPECT_EQ(moved_bytes(block.backward, "m.gating.backward"), 4 * top_k * gates);
    }
}

TEST(MoeBlockTraffic, MovesOneHotTokensAndSlotsInEachEinsum) {
  const BlockNodes block = moe_block_with_choices(1);
  // bfloat16: one-hot (2048, 128, 8), stream (2048, 768), slots (2 * 128, 8, 768).
  const double operands = 2.0 * (2048 * 128 * 8 + 2048 * 768 + 2 * 128 * 8 * 768);
  EXPECT_EQ(moved_bytes(block.forward, "m.dispatch_einsum.forward"), operands);
  EXPECT_EQ(moved_bytes(block.backward, "m.combine_einsum.gate_gradient"), operands);
}

TEST(MoeBlockTraffic, CopiesTheSlotsAroundEachExchange) {
  const BlockNodes block = moe_block_with_choices(1);
  const double slots = 2.0 * 2 * 128 * 8 * 768;
  for (const char* name : {"m.dispatch.forward.pack", "m.dispatch.forward.unpack",
                           "m.combine.forward.pack", "m.combine.forward.unpack"})
    EXPECT_EQ(moved_bytes(block.forward, name), 2 * slots) << name;  // read and write
}

}  // namespace
}  // namespace switchyard
