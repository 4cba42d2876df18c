#include "sim/cli/read_model.hpp"

namespace switchyard {
namespace {

void check(const ModelSpec& model, Section& section) {
  if (model.architecture == Architecture::kDecoderOnly && model.num_encoder_layers > 0)
    section.problem("encoder_layers", "a decoder-only model has none, but this is " +
                                          std::to_string(model.num_encoder_layers));
  if (model.architecture == Architecture::kEncoderDecoder && model.num_encoder_layers == 0)
    section.problem("encoder_layers",
                    "an encoder-decoder model has at least 1; write \"encoder_layers: 12\"");
  if (model.num_heads % model.num_kv_heads != 0)
    section.problem("kv_heads", fmt::format("expected a divisor of heads ({}), got {}",
                                            model.num_heads, model.num_kv_heads));
  if (is_moe(model) && model.moe.top_k > model.moe.num_experts)
    section.problem("top_k", fmt::format("expected at most experts ({}), got {}",
                                         model.moe.num_experts, model.moe.top_k));
  if (is_moe(model) && num_moe_layers(model) == 0)
    section.problem("expert_layer_period",
                    fmt::format("no stack has {} layers, so no layer would have experts",
                                model.moe.layer_period));
}

}  // namespace

ModelSpec read_model(Section section) {
  constexpr IntegerRange kPositive{.min = 1, .max = 1'000'000'000};
  constexpr IntegerRange kLayers{.min = 0, .max = 100'000};
  ModelSpec model;
  model.architecture =
      section.choice<Architecture>("architecture", "Which stacks the model has.",
                                   {{"encoder-decoder", Architecture::kEncoderDecoder},
                                    {"decoder-only", Architecture::kDecoderOnly}});
  model.num_encoder_layers =
      section.optional_count("encoder_layers", "Layers of the encoder; 0 without one.", 0, kLayers);
  model.num_decoder_layers =
      section.count("decoder_layers", "Layers of the decoder.", {.min = 1, .max = 100'000});
  model.d_model = section.integer("d_model", "Width of the residual stream.", kPositive);
  model.d_ff =
      section.integer("d_ff", "Hidden width of a feed-forward block or of one expert.", kPositive);
  model.activation = section.choice<Activation>(
      "activation",
      "Non-linearity of the feed-forward blocks; gated ones have two input projections.",
      {{"relu", Activation::kRelu},
       {"geglu", Activation::kGeglu},
       {"swiglu", Activation::kSwiglu}});
  model.num_heads = section.count("heads", "Query heads.", {.min = 1, .max = 1'000'000});
  model.num_kv_heads =
      section.optional_count("kv_heads", "Key and value heads; the same as heads when missing.",
                             model.num_heads, {.min = 1, .max = 1'000'000});
  model.d_head = section.integer("d_head", "Width of one head (the papers' d_kv).", kPositive);
  model.vocabulary = section.integer("vocabulary", "Rows of the embedding.", kPositive);
  model.tied_embedding = section.optional_boolean(
      "tied_embedding", "Whether one table serves the input and the logits.", true);
  model.positions = section.choice<PositionEncoding>(
      "positions", "How positions enter attention.",
      {{"relative-bias", PositionEncoding::kRelativeBias}, {"rotary", PositionEncoding::kRotary}});
  model.relative_buckets = section.optional_count(
      "relative_buckets", "Rows of a relative-bias table.", 32, {.min = 1, .max = 1'000'000});
  model.moe.num_experts =
      section.optional_count("experts", "Experts of each MoE layer; 0 for a dense model.", 0,
                             {.min = 0, .max = 10'000'000});
  model.moe.top_k = section.optional_count("top_k", "Experts that each token is sent to.", 1,
                                           {.min = 1, .max = 1'000'000});
  model.moe.num_shared_experts = section.optional_count(
      "shared_experts", "Experts of each MoE layer that every token uses, on its own rank.", 0,
      {.min = 0, .max = 100'000});
  model.moe.layer_period = section.optional_count(
      "expert_layer_period", "Every how many layers one has experts; 1 is every layer.", 1,
      {.min = 1, .max = 100'000});
  if (section.ok()) check(model, section);
  section.finish();
  return model;
}

}  // namespace switchyard
