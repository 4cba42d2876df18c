#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/workload/routing/expert_choice.hpp"
#include "sim/workload/routing/routing_draw.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// Which rank and node each expert's tokens go to, seen from one source rank.
class ReplicaTable {
 public:
  /// Precondition: places each expert, on the ranks of the shape (checked).
  ReplicaTable(const Destinations& destinations, const RoutingShape& shape);

  /// Turns to another source; free where no expert is replicated.
  void look_from(int source);

  [[nodiscard]] std::size_t rank_of(std::int32_t expert) const {
    return rank_of_[static_cast<std::size_t>(expert)];
  }
  [[nodiscard]] std::size_t node_of(std::size_t rank) const { return node_of_[rank]; }
  [[nodiscard]] std::size_t num_nodes() const { return num_nodes_; }

 private:
  const ExpertPlacement* placement_;
  bool is_replicated_ = false;
  std::size_t num_nodes_ = 0;
  std::vector<std::size_t> rank_of_;  ///< by expert
  std::vector<std::size_t> node_of_;  ///< by rank
};

/// Adds up the draw of one layer: tokens of a rank, then end_rank(), then those of the next.
class RoutingTally {
 public:
  /// @param replicas  null without destinations, here and below
  /// Precondition: fewer than 2^31 tokens a rank (checked).
  RoutingTally(const RoutingShape& shape, int top_k, const ReplicaTable* replicas);

  /// Tokens of a scope from `first_token` on.
  /// @param receivers  of SlotAssigner for the whole scope
  /// @param replicas   seen from the rank of these tokens
  void add(const TokenChoices& choices, std::size_t first_token, std::size_t num_tokens,
           std::span<const std::int32_t> receivers, const ReplicaTable* replicas);

  /// The same where experts chose.
  void add(const ExpertChoice& choice, std::size_t first_token, std::size_t num_tokens,
           const ReplicaTable* replicas);

  /// What was added since the last call is of this rank.
  void end_rank(int rank, const ReplicaTable* replicas);

  /// The sums. Leaves nothing behind.
  [[nodiscard]] RoutingDraw take() { return std::move(draw_); }

 private:
  template <std::size_t kTopK>  // 0: top_k_
  void add_rows(const std::int32_t* wanted, const std::int32_t* got, std::size_t num_tokens,
                std::size_t columns);
  void add_destinations(std::span<const std::int32_t> receivers, const ReplicaTable& replicas);

  RoutingDraw draw_;
  std::size_t top_k_;
  std::int64_t token_ = 0;  ///< serial number of the token at hand
  // Of the rank at hand, by expert + 1; first those of kNoExpert.
  std::vector<std::int32_t> routed_;
  std::vector<std::int32_t> kept_;
  // By rank and node: distinct tokens, and the last of them.
  std::vector<std::int64_t> to_rank_;
  std::vector<std::int64_t> to_node_;
  std::vector<std::int64_t> last_to_rank_;
  std::vector<std::int64_t> last_to_node_;
};

}  // namespace switchyard
