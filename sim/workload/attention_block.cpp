#include "sim/workload/block_operators.hpp"

namespace switchyard {
namespace {

/// The two products of attention and the softmax between them.
struct CoreShape {
  double batch = 0;  ///< sequences * heads
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::int64_t d_head = 0;
  Tensor query;  ///< (tokens, heads * d_head), heads side by side so that rows are not padded
  Tensor key;
  Tensor scores;
};

Operator product(const std::string& name, Phase phase, const Matmul& matmul,
                 std::vector<Traffic> traffic) {
  return {.name = name,
          .operator_class = OperatorClass::kAttention,
          .phase = phase,
          .matmul = matmul,
          .traffic = std::move(traffic),
          .saved = {}};
}

Operator softmax(const std::string& name, Phase phase, const Tensor& scores, double passes) {
  return {.name = name,
          .operator_class = OperatorClass::kAttention,
          .phase = phase,
          .matmul = {},
          .traffic = {{scores, passes}},
          .saved = {}};
}

BlockNodes attention_core(const std::string& name, const CoreShape& s,
                          const LoweringSpec& lowering) {
  BlockNodes block;
  const Matmul to_scores{s.batch, s.queries, s.d_head, s.keys};
  const Matmul from_scores{s.batch, s.queries, s.keys, s.d_head};
  const Matmul from_scores_transposed{s.batch, s.keys, s.queries, s.d_head};

  Operator scores = product(name + ".scores.forward", Phase::kForward, to_scores,
                            {{s.query}, {s.key}, {s.scores}});
  Operator weights = softmax(name + ".softmax.forward", Phase::kForward, s.scores,
                             lowering.softmax_forward_passes);
  weights.saved = {s.scores, s.scores, s.scores};  // exponentials, weights, weights after dropout
  Operator context = product(name + ".context.forward", Phase::kForward, from_scores,
                             {{s.scores}, {s.key}, {s.query}});
  context.saved = {s.query};
  for (Operator* node : {&scores, &weights, &context}) block.forward.emplace_back(std::move(*node));

  const std::vector<Traffic> traffic = {{s.scores}, {s.key}, {s.query}};
  block.backward.emplace_back(
      product(name + ".context.weight_gradient", Phase::kBackward, to_scores, traffic));
  block.backward.emplace_back(
      product(name + ".context.value_gradient", Phase::kBackward, from_scores_transposed, traffic));
  block.backward.emplace_back(softmax(name + ".softmax.backward", Phase::kBackward, s.scores,
                                      lowering.softmax_backward_passes));
  block.backward.emplace_back(
      product(name + ".scores.query_gradient", Phase::kBackward, from_scores, traffic));
  block.backward.emplace_back(
      product(name + ".scores.key_gradient", Phase::kBackward, from_scores_transposed, traffic));
  return block;
}

}  // namespace

BlockNodes attention_block(const TrainingStepSpec& spec, const std::string& name,
                           const BlockTokens& queries, const BlockTokens& keys) {
  const ModelSpec& model = spec.model;
  const int bytes = activation_bytes(spec.precision);
  const std::int64_t query_width = model.num_heads * model.d_head;
  const std::int64_t key_width = model.num_kv_heads * model.d_head;
  const std::int64_t query_tokens = num_tokens(queries);
  const std::int64_t key_tokens = num_tokens(keys);

  BlockNodes block;
  add_norm(spec, name, query_tokens, block);

  LinearSpec linear{.name = name + ".query",
                    .operator_class = OperatorClass::kAttention,
                    .rows = query_tokens,
                    .inputs = model.d_model,
                    .outputs = query_width,
                    .activation_bytes = bytes,
                    .output_bytes = bytes};
  add_linear(linear, spec.lowering, block);
  linear.rows = key_tokens;
  linear.outputs = key_width;
  for (const char* part : {".key", ".value"}) {
    linear.name = name + part;
    add_linear(linear, spec.lowering, block);
  }

  const double batch = queries.sequences * model.num_heads;
  append(block, attention_core(name,
                               {.batch = batch,
                                .queries = queries.tokens_per_sequence,
                                .keys = keys.tokens_per_sequence,
                                .d_head = model.d_head,
                                .query = {1.0, query_tokens, query_width, bytes},
                                .key = {1.0, key_tokens, key_width, bytes},
                                .scores = {batch, queries.tokens_per_sequence,
                                           keys.tokens_per_sequence, bytes}},
                               spec.lowering));

  linear.name = name + ".output";
  linear.rows = query_tokens;
  linear.inputs = query_width;
  linear.outputs = model.d_model;
  linear.adds_residual = true;
  add_linear(linear, spec.lowering, block);
  return block;
}

}  // namespace switchyard
