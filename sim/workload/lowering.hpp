#pragma once

#include <cstdint>

#include "sim/core/constant.hpp"
#include "sim/workload/matmul.hpp"

namespace switchyard {

/// Numeric formats of a training run.
enum class Precision {
  kFloat32,
  kBfloat16,
  /// bfloat16 everywhere but inside the router.
  /// Source: Fedus, Zoph, Shazeer, "Switch Transformers", JMLR 23, 2022, section 2.4.
  kSelective,
  /// As selective, but projections multiply FP8 operands with scales for blocks of 128, and the
  /// dispatch of tokens sends FP8. Attention between the projections, embedding, router, logits and
  /// the combine stay bfloat16.
  /// Source: DeepSeek-AI, "DeepSeek-V3 Technical Report", arXiv:2412.19437, 2024, section 3.3.
  kFp8,
};

/// How tokens come to their experts' buffers.
enum class DispatchKind {
  kOneHot,       ///< einsums with one-hot tensors into buffers of fixed size (Mesh TensorFlow)
  kPermutation,  ///< copies of the kept tokens, as many as there are (GPU libraries)
};

/// What is kept from the forward pass for the backward pass.
enum class Recompute {
  kNone,       ///< everything that the backward pass reads
  kSelective,  ///< without what is between the products of attention and of the feed-forward blocks
  kFull,       ///< the inputs of layers only; each layer's forward pass runs again
};

/// How a framework and its compiler turn layers into kernels: what is fused, what is copied, what
/// stays in float32. Counts of passes are whole tensors read or written once in device memory.
///
/// The defaults describe Mesh TensorFlow compiled by XLA for TPUs. They were counted from the
/// framework's public source, not measured; docs/table1.md says what depends on which. Sums of
/// several gradients of one tensor are taken to be fused into the products that make them.
struct LoweringSpec {
  DispatchKind dispatch = DispatchKind::kOneHot;

  int weight_bytes = 4;    ///< master weights; products read a copy in the activations' type
  int gradient_bytes = 4;  ///< accumulated weight gradients (assumed float32)

  /// Scores between the two products of attention: forward reads for the maximum and for the sum of
  /// exponentials and one write of the weights; backward two reads for the row sums and one read
  /// more by each of the two products that the elementwise part is fused into.
  double softmax_forward_passes = 3.0;
  double softmax_backward_passes = 4.0;

  /// float32 (tokens, experts) tensors of gating per choice: softmax, arg-max, masks, positions.
  /// Of kOneHot.
  double router_forward_passes = 8.0;
  double router_backward_passes = 4.0;

  /// The same of kPermutation, whatever the number of choices: one kernel reads the logits and
  /// writes the probabilities, top-k reads them; backward reads the gates' gradients and the
  /// probabilities and writes the logits' gradients.
  double top_k_forward_passes = 3.0;
  double top_k_backward_passes = 3.0;

  /// Passes over the float32 one-hot tensor that gating builds: forward in all (the choices are one
  /// sum), backward per choice (each gate's gradient is a reduction of its own). Its layout is
  /// (tokens, experts, capacity), capacity last, so a device that tiles memory pads the capacity.
  Constant one_hot_passes{
      .value = 6.0, .provenance = Provenance::kAssumed, .lowest = 2.0, .highest = 16.0};

  /// Copies into another memory layout on each side of an all-to-all. With kPermutation on the
  /// side of the experts, where a rank has several: rows arrive by source and are sorted by expert.
  double layout_copies = 1.0;

  /// Attention between its projections as one kernel that never writes the scores.
  bool fused_attention = false;

  /// The non-linearity is a kernel of its own, which reads the projections' outputs and writes what
  /// the last projection reads; else it is fused into the products.
  bool separate_activation = false;

  /// The loss is kernels of their own: the logits stay in the activations' type as the product
  /// wrote them, in float32, and as float32 probabilities. Else the logits stay in float32 alone.
  /// Source: Megatron-LM, megatron/core/tensor_parallel/cross_entropy.py and the cast before it.
  bool separate_loss = false;

  /// Gates multiply what the last product of an expert reads instead of what it gives, so that its
  /// results need not stay for the backward pass. Of kPermutation.
  /// Source: Megatron-LM, megatron/core/transformer/moe/experts.py, weighted activation.
  bool gates_before_last_product = false;

  /// A step of one microbatch updates each weight as soon as its gradient is summed, so that
  /// gradients are never all in memory: an optimizer that scales each weight by itself (Adafactor)
  /// in a program that is scheduled as a whole (XLA).
  bool updates_as_made = false;

  /// Products of weight gradients add to those of earlier microbatches themselves.
  bool fused_accumulation = false;

  /// Dropout follows the hidden layer and the attention weights: what it lets through is kept too.
  bool dropout = true;

  /// Embedding look-up as a product with a one-hot matrix, forward and backward.
  bool one_hot_embedding = true;

  /// Slots per expert are laid out in multiples of this in the experts' buffers, where they are
  /// rows (8 in a TPU tile), and computed with; the all-to-all sends them packed. Of kOneHot.
  ///
  /// Where that would more than double them, the compiler is taken to lay out other dimensions as
  /// rows and columns: buffers by groups, the one-hot tensors by tokens and experts. Assumed: a
  /// model of 2048 experts with 2 slots for each in a group has trained on devices of 16 GiB,
  /// which one-hot tensors padded from 2 to 128 columns would have filled.
  std::int64_t capacity_multiple = 8;

  /// float32 passes over each weight in the update: Adafactor reads the gradient for the row and
  /// for the column means, for the clipping norm and for the update, the weight for its scale and
  /// for the update, and writes it.
  /// Source: Shazeer, Stern, "Adafactor", ICML 2018, algorithm 4.
  double optimizer_passes = 7.0;

  int optimizer_bytes = 0;  ///< of each weight, beside the master weight; Adam's moments: 8

  /// Input tokens of a microbatch on one rank, before memory is checked; gradients are accumulated
  /// over the microbatches of a step. Mesh TensorFlow's default.
  std::int64_t microbatch_tokens = 2048;
};

/// Bytes of one activation under `precision`.
[[nodiscard]] constexpr int activation_bytes(Precision precision) {
  return precision == Precision::kFloat32 ? 4 : 2;
}

/// Operands of the projections under `precision`.
[[nodiscard]] constexpr MatmulType matmul_type(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return MatmulType::kFloat32;
    case Precision::kFp8:
      return MatmulType::kFp8;
    case Precision::kBfloat16:
    case Precision::kSelective:
      break;
  }
  return MatmulType::kBfloat16;
}

/// Bytes of one element on its way to the experts, scales included (one float32 for 128).
[[nodiscard]] constexpr double dispatch_bytes(Precision precision) {
  return precision == Precision::kFp8 ? 1.0 + 4.0 / 128.0 : activation_bytes(precision);
}

/// Bytes of one element inside the router. Gating itself runs in float32 in every case, as the
/// framework does; only the input of a pure bfloat16 router is narrow.
[[nodiscard]] constexpr int router_bytes(Precision precision) {
  return precision == Precision::kBfloat16 ? 2 : 4;
}

}  // namespace switchyard
