#include <algorithm>

#include "sim/workload/block_operators.hpp"
#include "sim/workload/tensor_parallel.hpp"

namespace switchyard {

BlockNodes embedding_block(const TrainingStepSpec& spec, const std::string& name,
                           std::int64_t tokens) {
  const ModelSpec& model = spec.model;
  const LoweringSpec& lowering = spec.lowering;
  const std::int64_t vocabulary = split_width(model.vocabulary, spec.partition.tensor);
  const Tensor vectors{1.0, tokens, model.d_model, activation_bytes(spec.precision)};
  const int table_bytes = std::min(lowering.weight_bytes, activation_bytes(spec.precision));
  const Tensor table{1.0, vocabulary, model.d_model, table_bytes};
  const Tensor gradient{1.0, vocabulary, model.d_model, lowering.gradient_bytes};
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
    forward.matmul = {1.0, tokens, vocabulary, model.d_model};
    forward.traffic = {{vectors}, {table}};
    backward.matmul = {1.0, vocabulary, tokens, model.d_model};
    backward.traffic = {{vectors}, {gradient}};
  }
  BlockNodes block;
  block.forward.emplace_back(std::move(forward));
  block.backward.emplace_back(std::move(backward));
  block.backward.emplace_back(accumulation(name, gradient));
  add_split_exit(spec, name, tokens, block);
  return block;
}

BlockNodes logits_block(const TrainingStepSpec& spec, std::int64_t tokens,
                        const std::string& prefix) {
  const ModelSpec& model = spec.model;
  const std::int64_t vocabulary = split_width(model.vocabulary, spec.partition.tensor);
  BlockNodes block;
  add_split_linear(spec,
                   {.name = prefix + "logits",
                    .operator_class = OperatorClass::kLogits,
                    .rows = tokens,
                    .inputs = model.d_model,
                    .outputs = vocabulary,
                    .activation_bytes = activation_bytes(spec.precision),
                    .output_bytes = 4,
                    .keeps_type = true},
                   block);
  const Tensor logits{1.0, tokens, vocabulary, 4};
  const auto loss = [&](const char* name, Phase phase) {
    return Operator{.name = prefix + name,
                    .operator_class = OperatorClass::kLogits,
                    .phase = phase,
                    .matmul = {},
                    .traffic = {{logits, 2.0}},
                    .saved = {}};
  };
  BlockNodes nodes;
  Operator forward = loss("loss.forward", Phase::kForward);  // maximum, sum of exp
  if (spec.lowering.separate_loss) {
    Tensor written = logits;
    written.element_bytes = activation_bytes(spec.precision);
    forward.saved = {written, logits};
  }
  nodes.forward.emplace_back(std::move(forward));
  nodes.backward.emplace_back(loss("loss.backward", Phase::kBackward));  // read, write gradient
  append(block, std::move(nodes));
  return block;
}

}  // namespace switchyard
