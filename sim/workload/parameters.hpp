#pragma once

#include "sim/workload/model_spec.hpp"

namespace switchyard {

/// Weights of a model by kind, as counts of elements.
struct ParameterCounts {
  double embedding = 0;     ///< token tables: one when tied, else input and output
  double attention = 0;     ///< query, key, value, output projections, position tables
  double feed_forward = 0;  ///< dense feed-forward blocks and shared experts
  double experts = 0;       ///< all routed experts of all MoE layers
  double router = 0;        ///< d_model x num_experts per MoE layer
  double norm = 0;          ///< one scale vector per normalisation

  [[nodiscard]] double dense() const {
    return embedding + attention + feed_forward + router + norm;
  }
  [[nodiscard]] double total() const { return dense() + experts; }
};

/// Counts the weights of `model`. Projections have no bias (T5, Mixtral, Llama, Mistral).
///
///   attention block    d_model * d_head * (2 * heads + 2 * kv_heads)
///   feed-forward       (1 + input projections) * d_model * d_ff
///   encoder layer      one attention, one feed-forward; decoder layer of an encoder-decoder has a
///                      second attention (to the encoder)
///
/// Sources: Raffel et al., "Exploring the Limits of Transfer Learning", JMLR 21, 2020 (T5);
///          Jiang et al., "Mixtral of Experts", arXiv:2401.04088, 2024.
[[nodiscard]] ParameterCounts count_parameters(const ModelSpec& model);

/// Weights that one token uses: everything but the experts it is not sent to.
[[nodiscard]] double active_parameters(const ModelSpec& model);

/// Weights of one feed-forward block or of one expert.
[[nodiscard]] double feed_forward_parameters(const ModelSpec& model);

/// Weights of one attention block.
[[nodiscard]] double attention_parameters(const ModelSpec& model);

}  // namespace switchyard
