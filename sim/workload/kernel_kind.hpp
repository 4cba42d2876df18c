#pragma once

namespace switchyard {

/// A kernel that can be measured by itself, and that operators of a step are run by.
enum class KernelKind {
  kLaunch,  ///< an empty call
  kCopy,
  kGemm,
  kGroupedForward,         ///< y (rows, n) = x (rows, k) w (experts, n, k)^T, expert by expert
  kGroupedDataGradient,    ///< dx (rows, k) = dy (rows, n) w
  kGroupedWeightGradient,  ///< dw (experts, n, k) = dy^T x, in float32
  kRouter,                 ///< logits, softmax, choices of experts
  kRouterBackward,
  kPlan,       ///< where rows go: a sort by counting
  kPermute,    ///< rows[r] = inputs[token of r]
  kUnpermute,  ///< sum of a token's rows
  kCombine,    ///< the same with gates
  kCombineBackward,
  kActivation,
  kActivationBackward,
  kLayerNorm,
  kAttentionPrefill,
  kAttentionDecode,
  kSync,  ///< an empty call of a GPU, and the wait for it
};
inline constexpr int kNumKernelKinds = 19;

}  // namespace switchyard
