#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard {

/// Which stacks a transformer has.
enum class Architecture { kEncoderDecoder, kDecoderOnly };

/// The non-linearity of a feed-forward block. The gated ones have two input projections.
enum class Activation { kRelu, kGelu, kGeglu, kSwiglu };

/// "relu", "gelu", "geglu", "swiglu".
[[nodiscard]] constexpr std::string_view activation_name(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kGeglu:
      return "geglu";
    case Activation::kSwiglu:
      return "swiglu";
  }
  return "";
}

/// How positions enter attention. A relative bias is a table of `relative_buckets` x heads per
/// stack.
enum class PositionEncoding { kRelativeBias, kRotary };

/// Mixture-of-Experts blocks of a model. num_experts 0 is a dense model.
struct MoeSpec {
  int num_experts = 0;
  int top_k = 1;
  /// After the leading dense layers, every `layer_period`-th layer of each stack is an MoE layer:
  /// 2 is every other, 1 is all.
  int layer_period = 1;
  int num_leading_dense_layers = 0;  ///< of each stack
  int num_shared_experts = 0;        ///< of an MoE layer; every token uses all
  std::int64_t d_ff = 0;  ///< hidden width of one expert, routed or shared; 0: model d_ff
};

/// Multi-head latent attention: queries, and keys with values, come from low-rank latent vectors;
/// positions enter through a part of each head of their own, whose key all heads share.
/// Source: DeepSeek-AI, "DeepSeek-V2", arXiv:2405.04434, 2024, section 2.1.
struct LatentAttention {
  std::int64_t query_rank = 0;      ///< 0: queries are projected in one step
  std::int64_t key_value_rank = 0;  ///< width of the latent vector that a KV cache keeps
  std::int64_t d_rotary = 0;        ///< of each query head, and of the one shared key
  std::int64_t d_value = 0;         ///< of each head; queries and keys have d_head + d_rotary
};

/// A transformer as its paper describes it. Widths are counts of elements.
struct ModelSpec {
  std::string name;
  Architecture architecture = Architecture::kEncoderDecoder;
  int num_encoder_layers = 0;  ///< 0 for decoder-only models
  int num_decoder_layers = 0;
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;  ///< of dense layers, and of one expert unless moe.d_ff says otherwise
  Activation activation = Activation::kRelu;
  int num_heads = 0;
  int num_kv_heads = 0;     ///< grouped-query attention when below num_heads
  std::int64_t d_head = 0;  ///< the papers' d_kv; of latent attention the part without positions
  std::optional<LatentAttention> latent_attention{};
  /// Attention looks back at most this far in every `window_period`-th layer (the first of each
  /// period); 0: no layer has a window.
  std::int64_t attention_window = 0;
  int window_period = 1;
  /// Further tokens predicted at each position in training, each by one layer more (like the last
  /// one) after a projection of 2 d_model to d_model; embedding and logits are the main model's.
  /// Source: DeepSeek-AI, "DeepSeek-V3 Technical Report", arXiv:2412.19437, 2024, section 2.2.
  int num_prediction_layers = 0;
  std::int64_t vocabulary = 0;
  bool tied_embedding = true;  ///< one table serves the input and the logits
  PositionEncoding positions = PositionEncoding::kRelativeBias;
  int relative_buckets = 32;
  MoeSpec moe;
};

[[nodiscard]] inline bool is_moe(const ModelSpec& model) { return model.moe.num_experts > 0; }

/// Projections from d_model to d_ff: 2 when gated (GEGLU, SwiGLU), else 1.
[[nodiscard]] inline int num_input_projections(const ModelSpec& model) {
  return model.activation == Activation::kRelu || model.activation == Activation::kGelu ? 1 : 2;
}

/// Hidden width of one expert.
[[nodiscard]] inline std::int64_t expert_d_ff(const ModelSpec& model) {
  return model.moe.d_ff > 0 ? model.moe.d_ff : model.d_ff;
}

/// True when layer `layer` (from 0) of a stack is an MoE layer: the last of each period.
[[nodiscard]] inline bool is_moe_layer(const ModelSpec& model, int layer) {
  const int sparse = layer - model.moe.num_leading_dense_layers;
  return is_moe(model) && sparse >= 0 && (sparse + 1) % model.moe.layer_period == 0;
}

/// MoE layers among the first `num_layers` layers of a stack, prediction layers not counted.
[[nodiscard]] inline int num_moe_layers(const ModelSpec& model, int num_layers) {
  const int sparse = num_layers - model.moe.num_leading_dense_layers;
  return is_moe(model) && sparse > 0 ? sparse / model.moe.layer_period : 0;
}

/// MoE layers of both stacks.
[[nodiscard]] inline int num_moe_layers(const ModelSpec& model) {
  return num_moe_layers(model, model.num_encoder_layers) +
         num_moe_layers(model, model.num_decoder_layers);
}

}  // namespace switchyard
