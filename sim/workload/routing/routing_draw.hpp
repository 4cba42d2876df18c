#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "sim/workload/routing/placement.hpp"
#include "sim/workload/routing/routing_spec.hpp"

namespace switchyard {

/// Capacity of a dropless layer.
inline constexpr std::int64_t kUnlimitedSlots = std::numeric_limits<std::int64_t>::max();

/// The tokens of one stack in one microbatch, and the slots of each MoE layer.
struct RoutingShape {
  int num_ranks = 1;
  std::int64_t groups_per_rank = 1;
  std::int64_t group_tokens = 0;
  int num_experts = 0;
  /// Slots per expert and group; with SlotScope::kGlobal per expert in all. kUnlimitedSlots:
  /// dropless.
  std::int64_t capacity = 0;
  int num_layers = 1;  ///< MoE layers
};

/// Where experts are, for the distinct destinations of tokens.
struct Destinations {
  ExpertPlacement placement;
  int ranks_per_node = 1;  ///< ranks r with equal r / ranks_per_node share a node
};

/// Counts by source rank (row) and expert, rank or node (column).
using TokenCounts = Eigen::Array<std::int64_t, Eigen::Dynamic, Eigen::Dynamic>;

/// One draw of the routing of one MoE layer in one microbatch. It decides at once what is sent,
/// what each expert computes and what is dropped.
///
/// `routed` counts a choice at the expert the gate chose, `kept` at the expert whose slot it got.
/// So without rerouting kept <= routed everywhere, with rerouting only for each source in sum; and
/// always routed.sum() = kept.sum() + the sum of dropped_by_choice. Where experts choose, routed =
/// kept and nothing is dropped but tokens without an expert.
struct RoutingDraw {
  std::int64_t num_tokens = 0;  ///< of all ranks
  TokenCounts routed;           ///< choices made (source rank, expert)
  TokenCounts kept;             ///< choices that found a slot (source rank, expert)
  /// Choices without a slot by their place: first, second, ... (rerouted ones found one).
  std::vector<std::int64_t> dropped_by_choice;
  std::int64_t tokens_without_expert = 0;  ///< no choice found a slot
  std::int64_t rerouted = 0;               ///< choices that found a slot at another expert
  /// With Destinations: kept choices of row's tokens that go to column's experts (rank, rank), and
  /// distinct tokens to each rank (rank, rank) and node (rank, node).
  TokenCounts choices_to_rank;
  TokenCounts tokens_to_rank;
  TokenCounts tokens_to_node;
};

/// Draws the choices of every token in every MoE layer and gives out the slots; one result for each
/// layer. See SlotAssigner and, where experts choose, draw_expert_choice.
///
/// Deterministic in the stream. Precondition: as Router; sizes at least 1; where experts choose, a
/// capacity of at most the tokens of a scope (checked).
/// @param destinations  none, one for all layers, or one for each
/// Memory: O(experts * ranks) for each layer, and the choices of one scope in one layer: 8 bytes
/// for each choice, 12 more with SlotPriority::kGate, and 4 for each attempt to reroute. With
/// SlotScope::kGlobal that is all tokens (8 MB for a million top-1 tokens) and the random state of
/// all ranks at once.
[[nodiscard]] std::vector<RoutingDraw> draw_routing(
    const RoutingSpec& spec, const RoutingShape& shape, const RoutingStream& stream,
    std::span<const Destinations> destinations = {});

/// Share of the choices made that found no slot.
[[nodiscard]] double dropped_fraction(const RoutingDraw& draw);

/// The same by source rank; 0 for one that made no choice.
[[nodiscard]] std::vector<double> dropped_fraction_by_rank(const RoutingDraw& draw);

/// Share of the slots (of `capacity`, without layout padding) that stay empty; 0 for dropless.
[[nodiscard]] double padding_fraction(const RoutingDraw& draw, const RoutingShape& shape,
                                      SlotScope scope = SlotScope::kGroup);

/// Busiest expert over the mean, of the choices made; 1 is perfect balance.
[[nodiscard]] double expert_imbalance(const RoutingDraw& draw);

/// Busiest rank over the mean, of the choices kept. Precondition: drawn with Destinations
/// (checked).
[[nodiscard]] double rank_imbalance(const RoutingDraw& draw);

/// Experts that at least one token of all ranks reaches.
[[nodiscard]] int experts_touched(const RoutingDraw& draw);

}  // namespace switchyard
