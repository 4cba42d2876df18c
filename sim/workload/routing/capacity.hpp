#pragma once

#include <cstdint>

namespace switchyard {

/// How tokens are cut into groups that are routed independently.
struct TokenGroups {
  std::int64_t num_groups = 0;  ///< over all ranks; a multiple of the number of ranks
  std::int64_t group_tokens = 0;
};

/// Cuts `num_tokens` into the fewest equal groups of at most about `max_group_tokens`, such that
/// the number of groups is a multiple of `num_ranks`.
///
/// Starts at max(1, num_tokens / max_group_tokens) groups and adds one until it fits both.
/// Precondition: num_ranks divides num_tokens, both at least 1 (checked).
/// Source: Mesh TensorFlow, transformer/moe.py, `_split_into_groups`.
[[nodiscard]] TokenGroups split_into_groups(std::int64_t num_tokens, std::int64_t max_group_tokens,
                                            std::int64_t num_ranks);

/// How the product S * cf * (k or 1) / E becomes a whole number of slots.
enum class CapacityRounding {
  kDown,     ///< Mesh TensorFlow
  kNearest,  ///< T5X (half to even)
  kUp,       ///< GShard, Tutel, Megatron
};

/// What decides the number of slots each expert has in a group.
struct CapacitySpec {
  double capacity_factor = 1.0;
  int num_experts = 0;
  int top_k = 1;
  /// Whether the capacity is multiplied by top_k: the reading of the paper's text for top-2, and
  /// what most libraries do. Mesh TensorFlow does not multiply.
  bool times_top_k = false;
  std::int64_t minimum = 4;  ///< Mesh TensorFlow's min_expert_capacity
  CapacityRounding rounding = CapacityRounding::kDown;
};

/// Slots per expert and group: max(min(S, round(S * cf * (k or 1) / E)), minimum).
///
/// When E > S * cf / minimum the minimum binds and the effective capacity factor is minimum * E /
/// S. Precondition: group_tokens, num_experts and capacity_factor are positive (checked). Source:
/// Mesh TensorFlow, transformer/moe.py, `transformer_moe_layer_v1`.
[[nodiscard]] std::int64_t expert_capacity(std::int64_t group_tokens, const CapacitySpec& spec);

}  // namespace switchyard
