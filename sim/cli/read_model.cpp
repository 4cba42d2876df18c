#include "sim/cli/read_model.hpp"

#include "sim/cli/model_problems.hpp"

namespace switchyard {
namespace {

constexpr IntegerRange kWidth{.min = 1, .max = 1'000'000'000};
constexpr IntegerRange kWidthOrNone{.min = 0, .max = kWidth.max};
constexpr IntegerRange kLayers{.min = 1, .max = 100'000};
constexpr IntegerRange kLayersOrNone{.min = 0, .max = kLayers.max};

LatentAttention read_latent_attention(Section section) {
  LatentAttention latent;
  latent.query_rank = section.optional_integer(
      "query_rank", "Width of the latent vector of queries; 0 without one.", 0, kWidthOrNone);
  latent.key_value_rank =
      section.integer("key_value_rank", "Width of the latent vector of keys and values.", kWidth);
  latent.d_rotary = section.integer(
      "d_rotary", "Width of the rotary part of each query head and of the one shared key.",
      kWidthOrNone);
  latent.d_value = section.integer("d_value", "Width of a value head.", kWidth);
  section.finish();
  return latent;
}

void read_attention(Section& section, ModelSpec& model) {
  model.num_heads = section.count("heads", "Query heads.", {.min = 1, .max = 1'000'000});
  model.num_kv_heads =
      section.optional_count("kv_heads", "Key and value heads; the same as heads when missing.",
                             model.num_heads, {.min = 1, .max = 1'000'000});
  model.d_head = section.integer(
      "d_head",
      "Width of one head (the papers' d_kv); of latent attention without its rotary part.", kWidth);
  if (auto latent = section.optional_subsection(
          "latent_attention",
          "Queries, keys and values from low-rank vectors (DeepSeek-V2, V3).")) {
    model.latent_attention = read_latent_attention(std::move(*latent));
    if (section.has("kv_heads"))
      section.problem("kv_heads", "means nothing with latent_attention: every head has its key");
    model.num_kv_heads = model.num_heads;
  }
  model.attention_window = section.optional_integer(
      "attention_window", "Keys that layers with a window look back at most; 0: no layer has one.",
      0, kWidthOrNone);
  model.window_period = section.optional_count(
      "window_period",
      "Every how many layers one has the window, from the first; 1 is every layer.", 1, kLayers);
}

void read_experts(Section& section, MoeSpec& moe) {
  moe.num_experts =
      section.optional_count("experts", "Experts of each MoE layer; 0 for a dense model.", 0,
                             {.min = 0, .max = 10'000'000});
  moe.top_k = section.optional_count("top_k", "Experts that each token is sent to.", 1,
                                     {.min = 1, .max = 1'000'000});
  moe.d_ff = section.optional_integer(
      "expert_d_ff", "Hidden width of one expert, routed or shared; 0 or missing: d_ff.", 0,
      kWidthOrNone);
  moe.num_shared_experts = section.optional_count(
      "shared_experts", "Experts of each MoE layer that every token uses, on its own rank.", 0,
      {.min = 0, .max = 100'000});
  moe.layer_period = section.optional_count(
      "expert_layer_period", "Every how many layers one has experts; 1 is every layer.", 1,
      kLayers);
  moe.num_leading_dense_layers = section.optional_count(
      "leading_dense_layers", "First layers of each stack without experts; the period starts then.",
      0, kLayersOrNone);
}

}  // namespace

ModelSpec read_model(Section section) {
  ModelSpec model;
  model.architecture =
      section.choice<Architecture>("architecture", "Which stacks the model has.",
                                   {{"encoder-decoder", Architecture::kEncoderDecoder},
                                    {"decoder-only", Architecture::kDecoderOnly}});
  model.num_encoder_layers = section.optional_count(
      "encoder_layers", "Layers of the encoder; 0 without one.", 0, kLayersOrNone);
  model.num_decoder_layers = section.count("decoder_layers", "Layers of the decoder.", kLayers);
  model.d_model = section.integer("d_model", "Width of the residual stream.", kWidth);
  model.d_ff = section.integer(
      "d_ff", "Hidden width of a feed-forward block, and of one expert without expert_d_ff.",
      kWidth);
  model.activation = section.choice<Activation>(
      "activation",
      "Non-linearity of the feed-forward blocks; gated ones have two input projections.",
      {{"relu", Activation::kRelu},
       {"gelu", Activation::kGelu},
       {"geglu", Activation::kGeglu},
       {"swiglu", Activation::kSwiglu}});
  read_attention(section, model);
  model.vocabulary = section.integer("vocabulary", "Rows of the embedding.", kWidth);
  model.tied_embedding = section.optional_boolean(
      "tied_embedding", "Whether one table serves the input and the logits.", true);
  model.positions = section.choice<PositionEncoding>(
      "positions", "How positions enter attention.",
      {{"relative-bias", PositionEncoding::kRelativeBias}, {"rotary", PositionEncoding::kRotary}});
  model.relative_buckets = section.optional_count(
      "relative_buckets", "Rows of a relative-bias table.", 32, {.min = 1, .max = 1'000'000});
  read_experts(section, model.moe);
  model.num_prediction_layers = section.optional_count(
      "prediction_layers",
      "Further tokens predicted at each position in training, each by one layer more.", 0,
      {.min = 0, .max = 1'000});
  if (section.ok())
    for (const ModelProblem& problem : model_problems(model))
      section.problem(problem.key, problem.text);
  section.finish();
  return model;
}

}  // namespace switchyard
