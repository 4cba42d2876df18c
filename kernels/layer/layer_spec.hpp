#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

namespace switchyard::kernels {

/// relu(u); gelu(g) * u; silu(g) * u, where silu(g) = g * sigmoid(g) and
/// gelu(g) = g * sigmoid(2 * sqrt(2/pi) * (g + 0.044715 * g^3)), the usual form with tanh.
/// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
enum class Activation { kRelu, kGeglu, kSwiglu };

/// What is stored and computed in which type. Products accumulate in float32 always.
enum class Precision {
  kFloat32,    ///< everything
  kBfloat16,   ///< tokens, expert weights; router weights, logits and probabilities are rounded too
  kSelective,  ///< tokens, expert weights; the router computes in float32 on the bfloat16 tokens
};

/// Whether a top-2 gate uses a token's second choice; as in sim/workload/routing/gate_spec.hpp.
enum class SecondChoice {
  kAlways,
  kThreshold,  ///< where its gate exceeds the threshold
  kRandom,     ///< with probability gate / threshold, at most 1
  kNever,
};

/// Who gets an expert's slots first; within a class, tokens in order.
enum class SlotPriority {
  kChoiceMajor,  ///< all first choices before any second (GShard)
  kTokenMajor,   ///< a token's choices together (Switch)
};

/// How the product S * cf * (k or 1) / E becomes a whole number of slots.
enum class CapacityRounding {
  kDown,     ///< Mesh TensorFlow
  kNearest,  ///< T5X (half to even)
  kUp,       ///< GShard, Tutel, Megatron
};

/// How many tokens of a group an expert takes; as in sim/workload/routing/capacity.hpp.
struct CapacitySpec {
  std::optional<double> capacity_factor;  ///< none: dropless
  bool times_top_k = false;
  std::int64_t minimum = 4;
  CapacityRounding rounding = CapacityRounding::kDown;
  /// Tokens of a group, S: consecutive tokens of one call, which compete among themselves. The last
  /// group of a call may be smaller. 0: all tokens of the call are one group. Results hang on the
  /// number of ranks unless this divides the tokens of a rank.
  std::int64_t group_tokens = 0;
  SlotPriority priority = SlotPriority::kChoiceMajor;
};

/// Which experts a token is sent to, and with what weights.
struct RouterSpec {
  int top_k = 1;
  /// Other than kAlways for top_k 2 alone. Decided by the gate before the second choice is lost;
  /// the gate of the first does not change.
  SecondChoice second_choice = SecondChoice::kAlways;
  double second_threshold = 0.2;
  /// Whether gates are the softmax over the chosen experts, not over all.
  bool renormalized = false;
  /// In training the router's input is multiplied by uniform numbers in 1 +- jitter.
  double jitter = 0.0;
  /// alpha in alpha * E * sum_i f_i * P_i, f_i the share of tokens whose first choice is i, P_i its
  /// mean probability, averaged over groups by their tokens.
  /// Source: Fedus, Zoph, Shazeer, "Switch Transformers", JMLR 23, 2022, equation 4.
  double aux_loss_weight = 0.01;
  /// Weight of the mean over tokens of logsumexp(logits)^2.
  /// Source: Zoph et al., "ST-MoE", 2022, equation 5.
  double z_loss_weight = 0.0;
};

/// One MoE layer. Shapes in this folder are (rows, columns), row major.
struct MoeLayerSpec {
  int d_model = 0;
  int d_ff = 0;
  int num_experts = 0;
  Activation activation = Activation::kRelu;
  Precision precision = Precision::kSelective;
  RouterSpec router = {};
  CapacitySpec capacity = {};
  /// In training a hidden number of an expert is lost with this probability, the others are scaled
  /// by 1 / (1 - expert_dropout).
  double expert_dropout = 0.0;
};

/// @throws KernelError (kSpec) that names the field, its value and what it may be.
void validate(const MoeLayerSpec& spec);

/// @throws KernelError (kSpec) that names the key and its value when the product is above 2^60.
/// Precondition: no factor is negative.
void require_countable(const std::string& key, std::int64_t value,
                       std::initializer_list<std::int64_t> factors);

/// Slots per expert of a group of `group_tokens`: max(min(S, round(S * cf * (k or 1) / E)),
/// minimum); none when dropless. 0 slots when there are no tokens.
[[nodiscard]] std::optional<std::int64_t> expert_capacity(const MoeLayerSpec& spec,
                                                          std::int64_t group_tokens);

/// The groups of a call with `num_tokens` tokens: all of `group_tokens` but the last.
struct TokenGroups {
  std::int64_t num_groups = 0;
  std::int64_t group_tokens = 0;
};
[[nodiscard]] TokenGroups token_groups(const MoeLayerSpec& spec, std::int64_t num_tokens);

/// Whether tokens and expert weights are stored as BFloat16, otherwise as float.
[[nodiscard]] constexpr bool stores_bfloat16(Precision precision) {
  return precision != Precision::kFloat32;
}

}  // namespace switchyard::kernels
