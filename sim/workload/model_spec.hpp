#pragma once

#include <cstdint>
#include <string>

namespace switchyard {

/// Which stacks a transformer has.
enum class Architecture { kEncoderDecoder, kDecoderOnly };

/// The non-linearity of a feed-forward block. The gated ones have two input projections.
enum class Activation { kRelu, kGeglu, kSwiglu };

/// How positions enter attention. A relative bias is a table of `relative_buckets` x heads per
/// stack.
enum class PositionEncoding { kRelativeBias, kRotary };

/// Mixture-of-Experts blocks of a model. num_experts 0 is a dense model.
struct MoeSpec {
  int num_experts = 0;
  int top_k = 1;
  /// Every `layer_period`-th layer of each stack is an MoE layer: 2 is every other, 1 is all.
  int layer_period = 1;
  int num_shared_experts = 0;  ///< of an MoE layer, each of width d_ff; every token uses all
};

/// A transformer as its paper describes it. Widths are counts of elements.
struct ModelSpec {
  std::string name;
  Architecture architecture = Architecture::kEncoderDecoder;
  int num_encoder_layers = 0;  ///< 0 for decoder-only models
  int num_decoder_layers = 0;
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;  ///< of one expert in MoE layers, and of dense layers
  Activation activation = Activation::kRelu;
  int num_heads = 0;
  int num_kv_heads = 0;     ///< grouped-query attention when below num_heads
  std::int64_t d_head = 0;  ///< the papers' d_kv
  std::int64_t vocabulary = 0;
  bool tied_embedding = true;  ///< one table serves the input and the logits
  PositionEncoding positions = PositionEncoding::kRelativeBias;
  int relative_buckets = 32;
  MoeSpec moe;
};

[[nodiscard]] inline bool is_moe(const ModelSpec& model) { return model.moe.num_experts > 0; }

/// Projections from d_model to d_ff: 2 when gated (GEGLU, SwiGLU), else 1.
[[nodiscard]] inline int num_input_projections(const ModelSpec& model) {
  return model.activation == Activation::kRelu ? 1 : 2;
}

/// True when layer `layer` (from 0) of a stack is an MoE layer: the last of each period.
[[nodiscard]] inline bool is_moe_layer(const ModelSpec& model, int layer) {
  return is_moe(model) && (layer + 1) % model.moe.layer_period == 0;
}

/// MoE layers of a stack of `num_layers` layers.
[[nodiscard]] inline int num_moe_layers(const ModelSpec& model, int num_layers) {
  return is_moe(model) ? num_layers / model.moe.layer_period : 0;
}

/// MoE layers of both stacks.
[[nodiscard]] inline int num_moe_layers(const ModelSpec& model) {
  return num_moe_layers(model, model.num_encoder_layers) +
         num_moe_layers(model, model.num_decoder_layers);
}

}  // namespace switchyard
