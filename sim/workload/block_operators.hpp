#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/workload/operators.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// The nodes of one block (attention, feed-forward, MoE layer, ...) of one microbatch, each list in
/// the order in which it runs. A step runs all forward lists, then the backward lists of the blocks
/// in reverse.
struct BlockNodes {
  std::vector<StepNode> forward;
  std::vector<StepNode> backward;
};

/// Puts `part` after what `block` has: its forward nodes run last, its backward nodes first.
void append(BlockNodes& block, BlockNodes part);

/// The share of one of `ranks` ranks of a width that they split, rounded up.
[[nodiscard]] constexpr std::int64_t split_width(std::int64_t width, int ranks) {
  return (width + ranks - 1) / ranks;
}

/// Tokens that one block sees on one rank: `sequences` rows of `tokens_per_sequence`.
struct BlockTokens {
  double sequences = 0;
  std::int64_t tokens_per_sequence = 0;
};
[[nodiscard]] std::int64_t num_tokens(const BlockTokens& tokens);

/// y = x W with x (rows, inputs) and W (inputs, outputs), `batch` times with weights of their own.
struct LinearSpec {
  std::string name;
  OperatorClass operator_class = OperatorClass::kFeedForward;
  double batch = 1.0;
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  int activation_bytes = 2;
  int output_bytes = 2;
  bool adds_residual = false;  ///< the forward product reads the residual stream as well
  bool masks_input = false;    ///< x is an activation's output: its gradient reads it again
  int num_input_branches = 1;  ///< 2 when x is the product of two tensors (GEGLU, SwiGLU)
  int num_saved_outputs = 1;   ///< copies kept for the backward pass; 2 when dropout follows
  Routed routed{};             ///< where a draw decides the rows
  bool keeps_type = false;     ///< never FP8
};

/// A tensor of the product's rows, those of all experts one after the other, and who decides them.
[[nodiscard]] Tensor all_rows(const LinearSpec& linear, std::int64_t width, int bytes);
[[nodiscard]] Routed routed_together(const LinearSpec& linear);

/// A projection: product, its two gradients, and the accumulation of the weight gradient. Products
/// read the weights in the activations' type: a copy is made once a step. Operands of FP8 products
/// are quantised by kernels of their own, for the product and for the weight gradient at once.
void add_linear(const LinearSpec& linear, const TrainingStepSpec& spec, BlockNodes& block);

/// Adding a microbatch's gradient to those of the earlier ones: reads both, writes the sum.
[[nodiscard]] Operator accumulation(const std::string& name, const Tensor& gradient);

/// The projections of a feed-forward block of hidden width `d_ff`, or of `batch` experts at once,
/// with `rows` rows each. The last output of routed experts is kept by the ranks it is sent to.
/// Without routed rows, the entry and exit of products split over the tensor ranks as well: `d_ff`
/// is then the share of one of them.
///
/// Kept for the backward pass, in tensors of `d_ff` columns, with lowering.separate_activation: the
/// activation's output, again after dropout, and what it read but for a ReLU (1, or 2 of gated
/// ones). Without it: what each first projection wrote, again after dropout.
[[nodiscard]] BlockNodes feed_forward_projections(const TrainingStepSpec& spec, LinearSpec linear,
                                                  std::int64_t d_ff, bool adds_residual);

/// Normalisation of `tokens` vectors of `width` elements; 0: d_model.
void add_norm(const TrainingStepSpec& spec, const std::string& name, std::int64_t tokens,
              BlockNodes& block, std::int64_t width = 0);

/// Which keys a query attends to.
struct AttentionMask {
  bool is_cross = false;  ///< those of another stack: keys and queries come from two streams
  bool is_causal = false;
  std::int64_t window = 0;  ///< the last so many keys only; 0: all
};

/// The share of all pairs of queries and keys that a mask lets through. Causal: queries are the
/// last of the keys. Edge: a window at least as long as the keys is none.
[[nodiscard]] double attended_share(std::int64_t queries, std::int64_t keys,
                                    const AttentionMask& mask);

/// The products between the projections on one rank: its heads.
struct AttentionCore {
  double batch = 0;  ///< sequences * heads
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::int64_t d_query = 0;  ///< of one head, of queries and keys
  std::int64_t d_value = 0;
  Tensor query;  ///< (tokens, heads * d_query), heads side by side so that rows are not padded
  Tensor key;
  Tensor value;
  Tensor output;
  double attended = 1.0;  ///< attended_share(); kernels that are not fused compute all
  /// Of the whole forward pass, where it could be measured as one: causal, of a sequence to itself,
  /// no window, queries and values of one width. Backward passes are not measured.
  std::optional<KernelUse> kernel{};
};

/// As separate products with a softmax between them, or with lowering.fused_attention as one
/// kernel, whose backward pass recomputes the scores: five products instead of two. Where
/// core.kernel was measured, it has the time of all operators of the forward pass, that of the
/// first.
[[nodiscard]] BlockNodes attention_core(const TrainingStepSpec& spec, const std::string& name,
                                        const AttentionCore& core);

/// Normalisation, projections, attention, output projection. `keys` are the tokens attended to.
/// Both are those of a whole sequence; with sequence ranks a rank has a share of the queries, and
/// gathers keys and values.
[[nodiscard]] BlockNodes attention_block(const TrainingStepSpec& spec, const std::string& name,
                                         const BlockTokens& queries, const BlockTokens& keys,
                                         const AttentionMask& mask = {});

/// Normalisation and a dense feed-forward block. `tokens` here and below: of one sequence rank.
[[nodiscard]] BlockNodes feed_forward_block(const TrainingStepSpec& spec, const std::string& name,
                                            std::int64_t tokens);

/// Normalisation and an MoE layer: router, shared experts (as dense feed-forward work, whose result
/// stands for the residual), and what spec.lowering.dispatch says: one_hot_experts() or
/// permuted_experts().
/// @param moe_layer  its number in the order of a forward pass, over both stacks
[[nodiscard]] BlockNodes moe_block(const TrainingStepSpec& spec, const std::string& name,
                                   std::int64_t tokens, int moe_layer);

/// Gating, one-hot dispatch, all-to-all, experts, all-to-all, combine: fixed buffers.
[[nodiscard]] BlockNodes one_hot_experts(const TrainingStepSpec& spec, const std::string& name,
                                         std::int64_t tokens);

/// Gating, permutation, all-to-all, experts, all-to-all, weighted sum: as many rows as are kept,
/// without padding. What each node moves, with T tokens of a rank, K kept choices of them, R rows
/// that its experts receive, M = d_model; forward and backward alike but for the last:
///
///   gating     LoweringSpec::top_k_forward_passes over (T, experts) float32
///   permute    reads (T, M), writes (K, M); backward adds up, the reverse
///   sort       layout_copies copies of (R, M) before the experts and after them; none where a rank
///              has one expert or there is one rank
///   experts    one kernel over the rank's experts for each projection
///   unpermute  reads (K, M) and the residual (T, M), writes (T, M); backward reads the gradient
///              (T, M) and the experts' outputs (K, M), writes their gradients (K, M)
///
/// A row is sent for each choice, whether or not others of the token go to the same rank.
/// Source of the order: Megatron-LM, megatron/core/transformer/moe/token_dispatcher.py,
/// MoEAlltoAllTokenDispatcher; fused permutation as in Transformer Engine. The counts of passes are
/// derived from what has to be read and written, not measured.
[[nodiscard]] BlockNodes permuted_experts(const TrainingStepSpec& spec, const std::string& name,
                                          std::int64_t tokens, int moe_layer);

/// A kernel that only moves data.
[[nodiscard]] Operator memory_only(const std::string& name, OperatorClass operator_class,
                                   Phase phase, std::vector<Traffic> traffic,
                                   std::vector<Tensor> saved = {});

/// Look-up of `tokens` rows of the embedding.
[[nodiscard]] BlockNodes embedding_block(const TrainingStepSpec& spec, const std::string& name,
                                         std::int64_t tokens);

/// Logits of the targets and the cross-entropy loss, and the gradient of the embedding table.
/// @param prefix  of the names of its nodes
[[nodiscard]] BlockNodes logits_block(const TrainingStepSpec& spec, std::int64_t tokens,
                                      const std::string& prefix = "");

}  // namespace switchyard
