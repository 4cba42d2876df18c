#include "sim/workload/block_operators.hpp"

#include <algorithm>
#include <iterator>

namespace switchyard {

std::int64_t num_tokens(const BlockTokens& tokens) {
  return static_cast<std::int64_t>(tokens.sequences) * tokens.tokens_per_sequence;
}

void append(BlockNodes& block, BlockNodes part) {
  block.forward.insert(block.forward.end(), std::make_move_iterator(part.forward.begin()),
                       std::make_move_iterator(part.forward.end()));
  part.backward.insert(part.backward.end(), std::make_move_iterator(block.backward.begin()),
                       std::make_move_iterator(block.backward.end()));
  block.backward = std::move(part.backward);
}

Operator memory_only(const std::string& name, OperatorClass operator_class, Phase phase,
                     std::vector<Traffic> traffic, std::vector<Tensor> saved) {
  return {.name = name,
          .operator_class = operator_class,
          .phase = phase,
          .matmul = {},
          .traffic = std::move(traffic),
          .saved = std::move(saved)};
}

Operator accumulation(const std::string& name, const Tensor& gradient) {
  return {.name = name + ".accumulate",
          .operator_class = OperatorClass::kAccumulation,
          .phase = Phase::kBackward,
          .matmul = {},
          .traffic = {{gradient, 3.0}},
          .saved = {}};
}

void add_linear(const LinearSpec& linear, const LoweringSpec& lowering, BlockNodes& block) {
  const int weight_bytes = std::min(lowering.weight_bytes, linear.activation_bytes);
  const double branches = linear.num_input_branches;
  const bool is_routed = linear.routed.rows != RoutedRows::kNone;
  const auto routed = [&](RoutedDimension dimension) {
    return is_routed ? dimension : RoutedDimension::kNone;
  };
  const Tensor input{linear.batch, linear.rows, linear.inputs, linear.activation_bytes, is_routed};
  const Tensor output{linear.batch, linear.rows, linear.outputs, linear.output_bytes, is_routed};
  const Tensor weights{linear.batch, linear.inputs, linear.outputs, weight_bytes};
  const Tensor gradient{linear.batch, linear.inputs, linear.outputs, lowering.gradient_bytes};

  BlockNodes nodes;
  Operator forward{
      .name = linear.name + ".forward",
      .operator_class = linear.operator_class,
      .phase = Phase::kForward,
      .matmul = {linear.batch, linear.rows, linear.inputs, linear.outputs,
                 routed(RoutedDimension::kRows)},
      .traffic = {{input, branches}, {weights}, {output, linear.adds_residual ? 2.0 : 1.0}},
      .saved = {},
      .routed = linear.routed};
  forward.saved.assign(static_cast<std::size_t>(linear.num_saved_outputs), output);
  nodes.forward.emplace_back(std::move(forward));

  nodes.backward.emplace_back(Operator{
      .name = linear.name + ".input_gradient",
      .operator_class = linear.operator_class,
      .phase = Phase::kBackward,
      .matmul = {linear.batch, linear.rows, linear.outputs, linear.inputs,
                 routed(RoutedDimension::kRows)},
      .traffic = {{output}, {weights}, {input, branches * (linear.masks_input ? 2.0 : 1.0)}},
      .saved = {},
      .routed = linear.routed});
  nodes.backward.emplace_back(
      Operator{.name = linear.name + ".weight_gradient",
               .operator_class = linear.operator_class,
               .phase = Phase::kBackward,
               .matmul = {linear.batch, linear.inputs, linear.rows, linear.outputs,
                          routed(RoutedDimension::kContraction)},
               .traffic = {{input, branches}, {output}, {gradient}},
               .saved = {},
               .routed = linear.routed});
  nodes.backward.emplace_back(accumulation(linear.name, gradient));
  append(block, std::move(nodes));
}

void add_norm(const TrainingStepSpec& spec, const std::string& name, std::int64_t tokens,
              BlockNodes& block) {
  const Tensor stream{1.0, tokens, spec.model.d_model, activation_bytes(spec.precision)};
  BlockNodes nodes;
  nodes.forward.emplace_back(Operator{.name = name + ".norm.forward",
                                      .operator_class = OperatorClass::kNormalization,
                                      .phase = Phase::kForward,
                                      .matmul = {},
                                      .traffic = {{stream, 2.0}},  // read, write
                                      .saved = {stream, stream}});
  nodes.backward.emplace_back(
      Operator{.name = name + ".norm.backward",
               .operator_class = OperatorClass::kNormalization,
               .phase = Phase::kBackward,
               .matmul = {},
               .traffic = {{stream, 4.0}},  // read input, its gradient, the residual's; write
               .saved = {}});
  append(block, std::move(nodes));
}

BlockNodes feed_forward_projections(const TrainingStepSpec& spec, LinearSpec linear,
                                    std::int64_t d_ff, bool adds_residual) {
  const ModelSpec& model = spec.model;
  const std::string name = linear.name;
  BlockNodes block;
  linear.inputs = model.d_model;
  linear.outputs = d_ff;
  linear.num_saved_outputs = 2;
  for (int i = 0; i < num_input_projections(model); ++i) {
    linear.name = name + (i == 0 ? ".wi" : ".wi_gate");
    add_linear(linear, spec.lowering, block);
  }
  linear.name = name + ".wo";
  linear.inputs = d_ff;
  linear.outputs = model.d_model;
  linear.num_saved_outputs = linear.routed.rows == RoutedRows::kNone ? 1 : 0;
  linear.num_input_branches = num_input_projections(model);
  linear.masks_input = true;
  linear.adds_residual = adds_residual;
  add_linear(linear, spec.lowering, block);
  return block;
}

BlockNodes feed_forward_block(const TrainingStepSpec& spec, const std::string& name,
                              std::int64_t tokens) {
  const int bytes = activation_bytes(spec.precision);
  BlockNodes block;
  add_norm(spec, name, tokens, block);
  append(block, feed_forward_projections(spec,
                                         {.name = name,
                                          .operator_class = OperatorClass::kFeedForward,
                                          .rows = tokens,
                                          .activation_bytes = bytes,
                                          .output_bytes = bytes},
                                         spec.model.d_ff, true));
  return block;
}

BlockNodes embedding_block(const TrainingStepSpec& spec, const std::string& name,
                           std::int64_t tokens) {
  const ModelSpec& model = spec.model;
  const LoweringSpec& lowering = spec.lowering;
  const Tensor vectors{1.0, tokens, model.d_model, activation_bytes(spec.precision)};
  const int table_bytes = std::min(lowering.weight_bytes, activation_bytes(spec.precision));
  const Tensor table{1.0, model.vocabulary, model.d_model, table_bytes};
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
  block.backward.emplace_back(accumulation(name, gradient));
  return block;
}

BlockNodes logits_block(const TrainingStepSpec& spec, std::int64_t tokens) {
  const ModelSpec& model = spec.model;
  BlockNodes block;
  add_linear({.name = "logits",
              .operator_class = OperatorClass::kLogits,
              .rows = tokens,
              .inputs = model.d_model,
              .outputs = model.vocabulary,
              .activation_bytes = activation_bytes(spec.precision),
              .output_bytes = 4},
             spec.lowering, block);
  const Tensor logits{1.0, tokens, model.vocabulary, 4};
  const auto loss = [&](const char* name, Phase phase) {
    return Operator{.name = name,
                    .operator_class = OperatorClass::kLogits,
                    .phase = phase,
                    .matmul = {},
                    .traffic = {{logits, 2.0}},
                    .saved = {}};
  };
  BlockNodes nodes;
  nodes.forward.emplace_back(loss("loss.forward", Phase::kForward));     // maximum, sum of exp
  nodes.backward.emplace_back(loss("loss.backward", Phase::kBackward));  // read, write gradient
  append(block, std::move(nodes));
  return block;
}

}  // namespace switchyard
