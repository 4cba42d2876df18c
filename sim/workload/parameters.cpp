#include "sim/workload/parameters.hpp"

namespace switchyard {

double feed_forward_parameters(const ModelSpec& model) {
  return (1.0 + num_input_projections(model)) * static_cast<double>(model.d_model * model.d_ff);
}

double attention_parameters(const ModelSpec& model) {
  return static_cast<double>(model.d_model * model.d_head) *
         (2.0 * model.num_heads + 2.0 * model.num_kv_heads);
}

ParameterCounts count_parameters(const ModelSpec& model) {
  const bool has_encoder = model.architecture == Architecture::kEncoderDecoder;
  const int layers = model.num_encoder_layers + model.num_decoder_layers;
  const int attention_blocks = layers + (has_encoder ? model.num_decoder_layers : 0);
  const int moe_layers = num_moe_layers(model);
  const int stacks = has_encoder ? 2 : 1;
  const auto d_model = static_cast<double>(model.d_model);

  ParameterCounts counts;
  counts.embedding =
      (model.tied_embedding ? 1.0 : 2.0) * static_cast<double>(model.vocabulary) * d_model;
  counts.attention = attention_blocks * attention_parameters(model);
  if (model.positions == PositionEncoding::kRelativeBias)
    counts.attention += static_cast<double>(stacks) * model.relative_buckets * model.num_heads;
  counts.feed_forward = (layers - moe_layers + moe_layers * model.moe.num_shared_experts) *
                        feed_forward_parameters(model);
  counts.experts = moe_layers * feed_forward_parameters(model) * model.moe.num_experts;
  counts.router = moe_layers * d_model * model.moe.num_experts;
  // One before each attention and feed-forward block, one at the end of each stack.
  counts.norm = (attention_blocks + layers + stacks) * d_model;
  return counts;
}

double active_parameters(const ModelSpec& model) {
  return count_parameters(model).total() - num_moe_layers(model) * feed_forward_parameters(model) *
                                               (model.moe.num_experts - model.moe.top_k);
}

}  // namespace switchyard
