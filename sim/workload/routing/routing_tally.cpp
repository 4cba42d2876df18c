#include "sim/workload/routing/routing_tally.hpp"

#include <limits>

#include "sim/core/error.hpp"

namespace switchyard {

ReplicaTable::ReplicaTable(const Destinations& destinations, const RoutingShape& shape)
    : placement_{&destinations.placement} {
  SWITCHYARD_CHECK(placement_->num_ranks == shape.num_ranks &&
                       static_cast<int>(placement_->ranks_of.size()) == shape.num_experts,
                   "placement of {} experts on {} ranks, for {} on {}", placement_->ranks_of.size(),
                   placement_->num_ranks, shape.num_experts, shape.num_ranks);
  SWITCHYARD_CHECK(destinations.ranks_per_node >= 1, "{} ranks per node",
                   destinations.ranks_per_node);
  for (const auto& ranks : placement_->ranks_of) {
    SWITCHYARD_CHECK(
        !ranks.empty() && RankId{0} <= ranks.front() && ranks.back() < RankId{shape.num_ranks},
        "an expert on {} ranks of {}", ranks.size(), shape.num_ranks);
    is_replicated_ = is_replicated_ || ranks.size() > 1;
    rank_of_.push_back(ranks.front().index());
  }
  for (int rank = 0; rank < shape.num_ranks; ++rank)
    node_of_.push_back(static_cast<std::size_t>(rank / destinations.ranks_per_node));
  num_nodes_ = node_of_.back() + 1;
}

void ReplicaTable::look_from(int source) {
  if (!is_replicated_) return;
  for (std::size_t e = 0; e < rank_of_.size(); ++e)
    rank_of_[e] = replica_for(*placement_, static_cast<int>(e), RankId{source}).index();
}

RoutingTally::RoutingTally(const RoutingShape& shape, int top_k, const ReplicaTable* replicas)
    : top_k_{static_cast<std::size_t>(top_k)} {
  SWITCHYARD_CHECK(
      shape.groups_per_rank * shape.group_tokens < std::numeric_limits<std::int32_t>::max(),
      "{} groups of {} tokens on one rank", shape.groups_per_rank, shape.group_tokens);
  draw_.num_tokens = shape.num_ranks * shape.groups_per_rank * shape.group_tokens;
  draw_.routed = TokenCounts::Zero(shape.num_ranks, shape.num_experts);
  draw_.kept = TokenCounts::Zero(shape.num_ranks, shape.num_experts);
  draw_.dropped_by_choice.assign(top_k_, 0);
  routed_.resize(static_cast<std::size_t>(shape.num_experts) + 1);
  kept_.resize(routed_.size());
  if (replicas == nullptr) return;
  const auto num_nodes = static_cast<Eigen::Index>(replicas->num_nodes());
  draw_.choices_to_rank = TokenCounts::Zero(shape.num_ranks, shape.num_ranks);
  draw_.tokens_to_rank = TokenCounts::Zero(shape.num_ranks, shape.num_ranks);
  draw_.tokens_to_node = TokenCounts::Zero(shape.num_ranks, num_nodes);
  to_rank_.resize(static_cast<std::size_t>(shape.num_ranks));
  to_node_.resize(replicas->num_nodes());
  last_to_rank_.resize(to_rank_.size());
  last_to_node_.resize(to_node_.size());
}

template <std::size_t kTopK>
void RoutingTally::add_rows(const std::int32_t* wanted, const std::int32_t* got,
                            std::size_t num_tokens, std::size_t columns) {
  const std::size_t top_k = kTopK == 0 ? top_k_ : kTopK;
  std::int32_t* routed = routed_.data() + 1;
  std::int32_t* kept = kept_.data() + 1;
  std::int64_t* dropped = draw_.dropped_by_choice.data();
  std::int64_t rerouted = 0;
  std::int64_t without_expert = 0;
  for (std::size_t token = 0; token < num_tokens; ++token, wanted += columns, got += top_k) {
    std::int32_t all = kNoExpert;  // has all bits set
    for (std::size_t choice = 0; choice < top_k; ++choice) {
      const std::int32_t from = wanted[choice];
      const std::int32_t to = got[choice];
      ++routed[from];
      ++kept[to];
      dropped[choice] += static_cast<int>(to < 0) & static_cast<int>(from >= 0);
      rerouted += static_cast<int>(to >= 0) & static_cast<int>(to != from);
      all &= to;
    }
    without_expert += all == kNoExpert ? 1 : 0;
  }
  draw_.rerouted += rerouted;
  draw_.tokens_without_expert += without_expert;
}

void RoutingTally::add(const TokenChoices& choices, std::size_t first_token, std::size_t num_tokens,
                       std::span<const std::int32_t> receivers, const ReplicaTable* replicas) {
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  const std::int32_t* wanted = choices.experts.data() + first_token * columns;
  const std::int32_t* got = receivers.data() + first_token * top_k_;
  if (top_k_ == 1)
    add_rows<1>(wanted, got, num_tokens, columns);
  else if (top_k_ == 2)
    add_rows<2>(wanted, got, num_tokens, columns);
  else
    add_rows<0>(wanted, got, num_tokens, columns);
  if (replicas != nullptr)
    for (std::size_t token = first_token; token < first_token + num_tokens; ++token)
      add_destinations(receivers.subspan(token * top_k_, top_k_), *replicas);
}

void RoutingTally::add(const ExpertChoice& choice, std::size_t first_token, std::size_t num_tokens,
                       const ReplicaTable* replicas) {
  for (std::size_t token = first_token; token < first_token + num_tokens; ++token) {
    const auto experts = choice.experts_of(token);
    for (const std::int32_t expert : experts) {
      ++routed_[static_cast<std::size_t>(expert + 1)];
      ++kept_[static_cast<std::size_t>(expert + 1)];
    }
    draw_.tokens_without_expert += experts.empty() ? 1 : 0;
    if (replicas != nullptr) add_destinations(experts, *replicas);
  }
}

void RoutingTally::add_destinations(std::span<const std::int32_t> receivers,
                                    const ReplicaTable& replicas) {
  ++token_;
  for (const std::int32_t expert : receivers) {
    if (expert == kNoExpert) continue;
    const std::size_t rank = replicas.rank_of(expert);
    if (std::exchange(last_to_rank_[rank], token_) == token_) continue;
    ++to_rank_[rank];
    const std::size_t node = replicas.node_of(rank);
    if (std::exchange(last_to_node_[node], token_) != token_) ++to_node_[node];
  }
}

void RoutingTally::end_rank(int rank, const ReplicaTable* replicas) {
  for (Eigen::Index expert = 0; expert < draw_.routed.cols(); ++expert) {
    const auto counter = static_cast<std::size_t>(expert + 1);
    draw_.routed(rank, expert) += std::exchange(routed_[counter], 0);
    const std::int64_t kept = std::exchange(kept_[counter], 0);
    draw_.kept(rank, expert) += kept;
    if (replicas != nullptr) {
      const std::size_t to = replicas->rank_of(static_cast<std::int32_t>(expert));
      draw_.choices_to_rank(rank, static_cast<Eigen::Index>(to)) += kept;
    }
  }
  for (std::size_t i = 0; i < to_rank_.size(); ++i)
    draw_.tokens_to_rank(rank, static_cast<Eigen::Index>(i)) += std::exchange(to_rank_[i], 0);
  for (std::size_t i = 0; i < to_node_.size(); ++i)
    draw_.tokens_to_node(rank, static_cast<Eigen::Index>(i)) += std::exchange(to_node_[i], 0);
}

}  // namespace switchyard
