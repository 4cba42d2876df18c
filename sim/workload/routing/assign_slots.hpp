#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/workload/routing/slot_spec.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// Gives out the slots of one scope after the other; every scope begins with all slots empty.
///
/// The choices of a scope ask in the order of SlotSpec::priority, and an expert says yes `capacity`
/// times. Then come the rounds of rerouting: in each, all choices still without a slot ask, in the
/// same order, for their token's best expert that it has not asked yet (the columns from top_k
/// on). So a token never holds two slots of one expert, its first top_k choices share its
/// `reroute_attempts` further experts, and nobody loses a slot to a rerouted choice.
/// Source: Mesh TensorFlow, transformer/moe.py, `_switch_gating`, `_top_2_gating` (k-major), and
///         `_ntlb_gating` (rounds).
class SlotAssigner {
 public:
  /// Precondition: num_experts and top_k at least 1, capacity not negative (checked).
  SlotAssigner(const SlotSpec& spec, int num_experts, int top_k, std::int64_t capacity);

  /// The expert whose slot each choice got, (tokens, top_k), row major; kNoExpert for a choice that
  /// got none or that the gate did not make.
  ///
  /// Aliases `choices` or the assigner: valid until the next call or until `choices` changes.
  /// Precondition: at least top_k columns, the experts of a token distinct, gates not negative
  /// where the priority is kGate, fewer than 2^31 choices (checked, but for the experts). Cost:
  /// O(choices), with kGate O(choices log choices); nothing by the number of experts.
  [[nodiscard]] std::span<const std::int32_t> assign(const TokenChoices& choices);

 private:
  void offer_all(const TokenChoices& choices);
  void sort_by_gate(const TokenChoices& choices);
  void list_waiting(const TokenChoices& choices);
  void reroute(const TokenChoices& choices);
  void empty_slots();

  SlotSpec spec_;
  std::size_t top_k_;
  std::int64_t capacity_;
  std::vector<std::int32_t> taken_;      ///< slots by expert + 1; of kNoExpert all are taken
  std::vector<std::int32_t> receivers_;  ///< what assign() returns
  std::vector<std::uint64_t> by_gate_;   ///< (falling gate, place of the choice)
  std::vector<std::uint32_t> waiting_;   ///< places of choices without a slot, by priority
  std::vector<std::int32_t> asked_;      ///< by token: columns it has asked in
};

/// One scope by itself; see SlotAssigner.
[[nodiscard]] std::vector<std::int32_t> assign_slots(const TokenChoices& choices,
                                                     const SlotSpec& spec, int num_experts,
                                                     int top_k, std::int64_t capacity);

}  // namespace switchyard
