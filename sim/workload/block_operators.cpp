#include "sim/workload/block_operators.hpp"

namespace switchyard {

std::int64_t num_tokens(const BlockTokens& tokens) {
  return static_cast<std::int64_t>(tokens.sequences) * tokens.tokens_per_sequence;
}

void add_linear(const LinearSpec& linear, const LoweringSpec& lowering, BlockNodes& block) {
  const Tensor input{linear.batch, linear.rows, linear.inputs, linear.activation_bytes};
  const Tensor output{linear.batch, linear.rows, linear.outputs, linear.activation_bytes};
  const Tensor weights{linear.batch, linear.inputs, linear.outputs, lowering.weight_bytes};
  const Tensor gradient{linear.batch, linear.inputs, linear.outputs, lowering.gradient_bytes};

  Operator forward{.name = linear.name + ".forward",
                   .operator_class = linear.operator_class,
                   .phase = Phase::kForward,
                   .matmul = {linear.batch, linear.rows, linear.inputs, linear.outputs},
                   .traffic = {{input}, {weights}, {output, linear.adds_residual ? 2.0 : 1.0}},
                   .saved = {}};
  forward.saved.assign(static_cast<std::size_t>(linear.saved_outputs), output);
  block.forward.emplace_back(std::move(forward));

  block.backward.emplace_back(
      Operator{.name = linear.name + ".input_gradient",
               .operator_class = linear.operator_class,
               .phase = Phase::kBackward,
               .matmul = {linear.batch, linear.rows, linear.outputs, linear.inputs},
               .traffic = {{output}, {weights}, {input, linear.masks_input_gradient ? 2.0 : 1.0}},
               .saved = {}});
  block.backward.emplace_back(
      Operator{.name = linear.name + ".weight_gradient",
               .operator_class = linear.operator_class,
               .phase = Phase::kBackward,
               .matmul = {linear.batch, linear.inputs, linear.rows, linear.outputs},
               .traffic = {{input}, {output}, {gradient}},
               .saved = {}});
  block.backward.emplace_back(Operator{.name = linear.name + ".accumulate",
                                       .operator_class = OperatorClass::kAccumulation,
                                       .phase = Phase::kBackward,
                                       .matmul = {},
                                       .traffic = {{gradient, 3.0}},  // read both, write the sum
                                       .saved = {}});
}

void add_norm(const TrainingStepSpec& spec, const std::string& name, std::int64_t tokens,
              BlockNodes& block) {
  const Tensor stream{1.0, tokens, spec.model.d_model, activation_bytes(spec.precision)};
  block.forward.emplace_back(Operator{.name = name + ".norm.forward",
                                      .operator_class = OperatorClass::kNormalization,
                                      .phase = Phase::kForward,
                                      .matmul = {},
                                      .traffic = {{stream, 2.0}},  // read, write
                                      .saved = {stream, stream}});
  block.backward.emplace_back(
      Operator{.name = name + ".norm.backward",
               .operator_class = OperatorClass::kNormalization,
               .phase = Phase::kBackward,
               .matmul = {},
               .traffic = {{stream, 4.0}},  // read input, its gradient, the residual's; write
               .saved = {}});
}

namespace {

/// The backward lists were filled operator by operator in forward order; a block runs them reversed
/// in groups, which costs the same. Only the normalisation must come last.
void move_norm_to_the_end(BlockNodes& block) {
  block.backward.push_back(std::move(block.backward.front()));
  block.backward.erase(block.backward.begin());
}

}  // namespace

BlockNodes feed_forward_block(const TrainingStepSpec& spec, const std::string& name,
                              std::int64_t tokens) {
  BlockNodes block;
  const ModelSpec& model = spec.model;
  add_norm(spec, name, tokens, block);
  BlockNodes output;
  LinearSpec linear{.name = name + ".wo",
                    .operator_class = OperatorClass::kFeedForward,
                    .batch = 1.0,
                    .rows = tokens,
                    .inputs = model.d_ff,
                    .outputs = model.d_model,
                    .activation_bytes = activation_bytes(spec.precision),
                    .adds_residual = true,
                    .masks_input_gradient = true,
                    .saved_outputs = 1};
  add_linear(linear, spec.lowering, output);
  linear.inputs = model.d_model;
  linear.outputs = model.d_ff;
  linear.adds_residual = linear.masks_input_gradient = false;
  linear.saved_outputs = 2;
  BlockNodes inputs;
  for (int i = 0; i < num_input_projections(model); ++i) {
    linear.name = name + (i == 0 ? ".wi" : ".wi_gate");
    add_linear(linear, spec.lowering, inputs);
  }
  for (auto* part : {&inputs, &output})
    for (StepNode& node : part->forward) block.forward.push_back(std::move(node));
  for (auto* part : {&output, &inputs})
    for (StepNode& node : part->backward) block.backward.push_back(std::move(node));
  move_norm_to_the_end(block);
  return block;
}

BlockNodes embedding_block(const TrainingStepSpec& spec, const std::string& name,
                           std::int64_t tokens) {
  const ModelSpec& model = spec.model;
  const LoweringSpec& lowering = spec.lowering;
  const Tensor vectors{1.0, tokens, model.d_model, activation_bytes(spec.precision)};
  const Tensor table{1.0, model.vocabulary, model.d_model, lowering.weight_bytes};
  const Tensor gradient{1.0, model.vocabulary, model.d_model, lowering.gradient_bytes};
  Operator forward{.name = name + ".forward",
                   .operator_class = OperatorClass::kEmbedding,
                   .phase = Phase::kForward,
                   .matmul = {},
                   .traffic = {{vectors, 2.0}},
                   .saved = {vectors}};
  Operator backward{.name = name + ".backward",
                    .operator_class = OperatorClass::kEmbedding,
                    .phase = Phase::kBackward,
                    .matmul = {},
                    .traffic = {{vectors, 3.0}},
                    .saved = {}};
  if (lowering.one_hot_embedding) {
    // The one-hot operand is made inside the product and does not touch memory.
    forward.matmul = {1.0, tokens, model.vocabulary, model.d_model};
    forward.traffic = {{vectors}, {table}};
    backward.matmul = {1.0, model.vocabulary, tokens, model.d_model};
    backward.traffic = {{vectors}, {gradient}};
  }
  BlockNodes block;
  block.forward.emplace_back(std::move(forward));
  block.backward.emplace_back(std::move(backward));
  return block;
}

BlockNodes logits_block(const TrainingStepSpec& spec, std::int64_t tokens) {
  const ModelSpec& model = spec.model;
  BlockNodes block;
  add_linear({.name = "logits",
              .operator_class = OperatorClass::kLogits,
              .batch = 1.0,
              .rows = tokens,
              .inputs = model.d_model,
              .outputs = model.vocabulary,
              .activation_bytes = activation_bytes(spec.precision),
              .adds_residual = false,
              .masks_input_gradient = false,
              .saved_outputs = 0},
             spec.lowering, block);
  // Logits and their gradient are float32; the loss takes the maximum, the sum of exponentials, the
  // target's logit, and writes the gradient.
  const Tensor logits{1.0, tokens, model.vocabulary, 4};
  block.forward.emplace_back(Operator{.name = "loss",
                                      .operator_class = OperatorClass::kLogits,
                                      .phase = Phase::kForward,
                                      .matmul = {},
                                      .traffic = {{logits, 6.0}},
                                      .saved = {logits}});
  return block;
}

}  // namespace switchyard
