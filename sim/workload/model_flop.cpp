#include "sim/workload/model_flop.hpp"

#include "sim/workload/parameters.hpp"

namespace switchyard {
namespace {

struct AttentionShape {
  double queries = 0;
  double keys = 0;
  int blocks = 0;
};

void add_attention(const ModelSpec& model, const AttentionShape& shape, ModelFlop& flop) {
  const auto d_model = static_cast<double>(model.d_model);
  const auto d_head = static_cast<double>(model.d_head);
  const double query_and_output = 2.0 * d_model * d_head * model.num_heads;
  const double key_and_value = 2.0 * d_model * d_head * model.num_kv_heads;
  flop.attention_projections +=
      Flop{2.0 * shape.blocks * (query_and_output * shape.queries + key_and_value * shape.keys)};
  flop.attention_scores +=
      Flop{4.0 * shape.blocks * shape.queries * shape.keys * model.num_heads * d_head};
}

int experts_per_token(const ModelSpec& model) {
  return model.moe.top_k + model.moe.num_shared_experts;
}

void add_feed_forward(const ModelSpec& model, int layers, double tokens, ModelFlop& flop) {
  const int sparse = num_moe_layers(model, layers);
  const double blocks = (layers - sparse) + static_cast<double>(sparse) * experts_per_token(model);
  flop.feed_forward += Flop{2.0 * blocks * feed_forward_parameters(model) * tokens};
  flop.router +=
      Flop{2.0 * sparse * static_cast<double>(model.d_model) * model.moe.num_experts * tokens};
}

}  // namespace

ModelFlop forward_flop(const ModelSpec& model, const SequenceLengths& lengths) {
  const auto inputs = static_cast<double>(lengths.input_tokens);
  const auto targets = static_cast<double>(lengths.target_tokens);
  ModelFlop flop;
  if (model.architecture == Architecture::kEncoderDecoder) {
    add_attention(model, {inputs, inputs, model.num_encoder_layers}, flop);
    add_attention(model, {targets, inputs, model.num_decoder_layers}, flop);
    add_feed_forward(model, model.num_encoder_layers, inputs, flop);
  }
  add_attention(model, {targets, targets, model.num_decoder_layers}, flop);
  add_feed_forward(model, model.num_decoder_layers, targets, flop);
  flop.logits = Flop{2.0 * static_cast<double>(model.d_model * model.vocabulary) * targets};
  return flop;
}

Flop published_forward_flop(const ModelSpec& model, const SequenceLengths& lengths) {
  const auto inputs = static_cast<double>(lengths.input_tokens);
  const auto targets = static_cast<double>(lengths.target_tokens);
  const bool has_encoder = model.architecture == Architecture::kEncoderDecoder;
  const auto stack = [&](int layers, int attentions_per_layer) {
    const int sparse = num_moe_layers(model, layers);
    return layers * attentions_per_layer * attention_parameters(model) +
           (layers - sparse + static_cast<double>(sparse) * experts_per_token(model)) *
               feed_forward_parameters(model);
  };
  const ModelFlop exact = forward_flop(model, lengths);
  return Flop{2.0 * stack(model.num_encoder_layers, 1) * inputs +
              2.0 * stack(model.num_decoder_layers, has_encoder ? 2 : 1) * targets} +
         0.5 * exact.attention_scores + exact.logits;
}

Flop training_flop(const ModelSpec& model, const SequenceLengths& lengths) {
  return 3.0 * forward_flop(model, lengths).total();
}

Flop expert_training_flop(const ModelSpec& model, int layers, std::int64_t tokens) {
  const double choices = static_cast<double>(tokens) * model.moe.top_k;
  return Flop{3.0 * 2.0 * num_moe_layers(model, layers) * feed_forward_parameters(model) * choices};
}

}  // namespace switchyard
