#include "sim/cli/model_json.hpp"

#include <algorithm>
#include <array>

namespace switchyard {
namespace {

Json latent_json(const LatentAttention& latent) {
  return {{"query_rank", latent.query_rank},
          {"key_value_rank", latent.key_value_rank},
          {"d_rotary", latent.d_rotary},
          {"d_value", latent.d_value}};
}

void add_attention(const ModelSpec& model, Json& json) {
  json["heads"] = model.num_heads;
  if (!model.latent_attention) json["kv_heads"] = model.num_kv_heads;
  json["d_head"] = model.d_head;
  if (model.latent_attention) json["latent_attention"] = latent_json(*model.latent_attention);
  json["attention_window"] = model.attention_window;
  json["window_period"] = model.window_period;
}

void add_experts(const ModelSpec& model, Json& json) {
  json["experts"] = model.moe.num_experts;
  json["top_k"] = model.moe.top_k;
  json["expert_d_ff"] = model.moe.d_ff;
  json["shared_experts"] = model.moe.num_shared_experts;
  json["expert_layer_period"] = model.moe.layer_period;
  json["leading_dense_layers"] = model.moe.num_leading_dense_layers;
}

}  // namespace

Json model_json(const ModelSpec& model) {
  const bool has_encoder = model.architecture == Architecture::kEncoderDecoder;
  Json json;
  json["architecture"] = has_encoder ? "encoder-decoder" : "decoder-only";
  json["encoder_layers"] = model.num_encoder_layers;
  json["decoder_layers"] = model.num_decoder_layers;
  json["d_model"] = model.d_model;
  json["d_ff"] = model.d_ff;
  json["activation"] = activation_name(model.activation);
  add_attention(model, json);
  json["vocabulary"] = model.vocabulary;
  json["tied_embedding"] = model.tied_embedding;
  json["positions"] =
      model.positions == PositionEncoding::kRelativeBias ? "relative-bias" : "rotary";
  json["relative_buckets"] = model.relative_buckets;
  add_experts(model, json);
  json["prediction_layers"] = model.num_prediction_layers;
  return json;
}

std::string model_yaml(const ModelSpec& model) {
  static const Json kDefaults = model_json({});
  constexpr std::array<std::string_view, 11> kOptional{
      "encoder_layers",       "attention_window", "window_period",
      "relative_buckets",     "experts",          "top_k",
      "expert_d_ff",          "shared_experts",   "expert_layer_period",
      "leading_dense_layers", "prediction_layers"};
  std::string text;
  const Json json = model_json(model);
  for (const auto& [key, value] : json.items()) {
    const bool is_optional = std::ranges::find(kOptional, key) != kOptional.end();
    const bool is_said = !is_optional || value != kDefaults[key];
    if (key == "latent_attention") {
      text += "latent_attention:\n";
      for (const auto& [part, size] : value.items())
        text += "  " + part + ": " + size.dump() + "\n";
    } else if (is_said || (key == "top_k" && is_moe(model))) {
      text += key + ": " + (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
    }
  }
  return text;
}

}  // namespace switchyard
