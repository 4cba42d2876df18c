#pragma once

#include <cstdint>

#include "sim/workload/model_spec.hpp"

// Published models, by the figures of their papers. Written out here, so that the tests of the
// formulas do not depend on the catalog.

namespace switchyard::testing {

/// Layers of each stack, widths and heads of an encoder-decoder; vocabulary 32128, heads of 64.
struct T5Shape {
  int layers = 0;
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;
  int num_heads = 0;
  Activation activation = Activation::kRelu;
};

inline ModelSpec t5(const T5Shape& shape, const MoeSpec& moe = {}) {
  return {.name = "t5",
          .architecture = Architecture::kEncoderDecoder,
          .num_encoder_layers = shape.layers,
          .num_decoder_layers = shape.layers,
          .d_model = shape.d_model,
          .d_ff = shape.d_ff,
          .activation = shape.activation,
          .num_heads = shape.num_heads,
          .num_kv_heads = shape.num_heads,
          .d_head = 64,
          .vocabulary = 32128,
          .tied_embedding = true,
          .positions = PositionEncoding::kRelativeBias,
          .relative_buckets = 32,
          .moe = moe};
}

inline constexpr T5Shape kBase{.layers = 12, .d_model = 768, .d_ff = 3072, .num_heads = 12};
inline constexpr T5Shape kLarge{.layers = 24, .d_model = 1024, .d_ff = 4096, .num_heads = 16};
inline constexpr T5Shape kXxl{.layers = 24,
                              .d_model = 4096,
                              .d_ff = 10240,
                              .num_heads = 64,
                              .activation = Activation::kGeglu};
inline constexpr T5Shape kSwitchC{.layers = 15, .d_model = 2080, .d_ff = 6144, .num_heads = 32};

/// 128 experts at every other feed-forward layer.
inline constexpr MoeSpec kEveryOther{.num_experts = 128, .top_k = 1, .layer_period = 2};

inline ModelSpec t5_base() { return t5(kBase); }
inline ModelSpec switch_base() { return t5(kBase, kEveryOther); }

/// A decoder-only model with SwiGLU, rotary positions, untied embedding, vocabulary 32000 and heads
/// of 128 (Llama, Mistral, Mixtral).
struct DecoderShape {
  int layers = 0;
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
};

inline ModelSpec decoder_only(const DecoderShape& shape, const MoeSpec& moe = {}) {
  return {.name = "decoder",
          .architecture = Architecture::kDecoderOnly,
          .num_encoder_layers = 0,
          .num_decoder_layers = shape.layers,
          .d_model = shape.d_model,
          .d_ff = shape.d_ff,
          .activation = Activation::kSwiglu,
          .num_heads = shape.num_heads,
          .num_kv_heads = shape.num_kv_heads,
          .d_head = 128,
          .vocabulary = 32000,
          .tied_embedding = false,
          .positions = PositionEncoding::kRotary,
          .relative_buckets = 0,
          .moe = moe};
}

inline constexpr DecoderShape kMistral7b{
    .layers = 32, .d_model = 4096, .d_ff = 14336, .num_heads = 32, .num_kv_heads = 8};
inline constexpr MoeSpec kMixtralExperts{.num_experts = 8, .top_k = 2, .layer_period = 1};

/// Small enough to count by hand: one decoder layer of width 8 with 2 heads of 4, d_ff 16, ReLU,
/// 32 words, one table.
inline ModelSpec tiny_model() {
  return {.name = "tiny",
          .architecture = Architecture::kDecoderOnly,
          .num_encoder_layers = 0,
          .num_decoder_layers = 1,
          .d_model = 8,
          .d_ff = 16,
          .activation = Activation::kRelu,
          .num_heads = 2,
          .num_kv_heads = 2,
          .d_head = 4,
          .vocabulary = 32,
          .tied_embedding = true,
          .positions = PositionEncoding::kRotary,
          .relative_buckets = 0,
          .moe = {}};
}

}  // namespace switchyard::testing
