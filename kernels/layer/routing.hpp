#pragma once

#include <cstdint>

#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

inline constexpr std::int32_t kNoExpert = -1;

/// What the router decided for T tokens among E experts, k choices each. Real is double in the
/// reference. Other backends hold the same arrays in their memory.
template <class Real>
struct BasicRouting {
  Buffer<Real> logits;         ///< (T, E)
  Buffer<Real> probabilities;  ///< (T, E), softmax of logits
  Buffer<Real> log_sum_exp;    ///< (T) of the logits
  /// (T, k), by falling logit, the lower expert first among equals; kNoExpert for a second choice
  /// that the gate does not use.
  Buffer<std::int32_t> experts;
  Buffer<Real> gates;  ///< (T, k), what an expert's output is multiplied by; 0 beside kNoExpert
  /// Sums over this call's tokens, divided by batch_tokens and weighted: ranks add theirs up.
  double aux_loss = 0.0;
  double z_loss = 0.0;
};
using Routing = BasicRouting<float>;

}  // namespace switchyard::kernels
