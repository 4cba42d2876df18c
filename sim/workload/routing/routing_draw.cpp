#include "sim/workload/routing/routing_draw.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"
#include "sim/workload/routing/assign_slots.hpp"
#include "sim/workload/routing/expert_choice.hpp"
#include "sim/workload/routing/router.hpp"
#include "sim/workload/routing/routing_streams.hpp"
#include "sim/workload/routing/routing_tally.hpp"

namespace switchyard {
namespace {

/// What a draw is made from, checked.
struct Drawing {
  const RoutingSpec& spec;
  const RoutingShape& shape;
  const RoutingStream& stream;
  std::span<ReplicaTable> replicas;  ///< one, or one for each layer; none without destinations

  [[nodiscard]] std::int64_t tokens_per_rank() const {
    return shape.groups_per_rank * shape.group_tokens;
  }
  /// Of a layer; null without destinations.
  [[nodiscard]] ReplicaTable* replicas_of(int layer) const {
    if (replicas.empty()) return nullptr;
    return &replicas[replicas.size() == 1 ? 0 : static_cast<std::size_t>(layer)];
  }
  [[nodiscard]] bool is_global() const { return spec.slots.scope == SlotScope::kGlobal; }
};

void check(const RoutingSpec& spec, const RoutingShape& shape) {
  SWITCHYARD_CHECK(shape.num_ranks >= 1 && shape.groups_per_rank >= 1 && shape.group_tokens >= 1 &&
                       shape.num_experts >= 1 && shape.num_layers >= 1 && shape.capacity >= 0,
                   "{} ranks, {} groups of {} tokens, {} experts, {} layers, capacity {}",
                   shape.num_ranks, shape.groups_per_rank, shape.group_tokens, shape.num_experts,
                   shape.num_layers, shape.capacity);
  SWITCHYARD_CHECK(1 <= spec.gate.top_k && spec.gate.top_k <= shape.num_experts,
                   "top_k {} of {} experts", spec.gate.top_k, shape.num_experts);
}

/// Where tokens choose and groups compete: group after group, all layers of each.
void draw_groups(const Drawing& drawing, const Router& router, std::vector<RoutingTally>& tallies) {
  const RoutingSpec& spec = drawing.spec;
  const RoutingShape& shape = drawing.shape;
  SlotAssigner assigner{spec.slots, shape.num_experts, spec.gate.top_k, shape.capacity};
  TokenChoices choices;
  for (int rank = 0; rank < shape.num_ranks; ++rank) {
    for (ReplicaTable& replicas : drawing.replicas) replicas.look_from(rank);
    RankTokens tokens{router, rank, spec.slots.priority == SlotPriority::kGate};
    for (std::int64_t group = 0; group < shape.groups_per_rank; ++group)
      for (int layer = 0; layer < shape.num_layers; ++layer) {
        tokens.draw(layer, shape.group_tokens, choices);
        tallies[static_cast<std::size_t>(layer)].add(
            choices, 0, choices.num_tokens(), assigner.assign(choices), drawing.replicas_of(layer));
      }
    for (int layer = 0; layer < shape.num_layers; ++layer)
      tallies[static_cast<std::size_t>(layer)].end_rank(rank, drawing.replicas_of(layer));
  }
}

/// Where tokens choose and all compete: layer after layer, the tokens of all ranks at once.
void draw_globally(const Drawing& drawing, const Router& router,
                   std::vector<RoutingTally>& tallies) {
  const RoutingSpec& spec = drawing.spec;
  const RoutingShape& shape = drawing.shape;
  SlotAssigner assigner{spec.slots, shape.num_experts, spec.gate.top_k, shape.capacity};
  std::vector<RankTokens> ranks;
  for (int rank = 0; rank < shape.num_ranks; ++rank)
    ranks.emplace_back(router, rank, spec.slots.priority == SlotPriority::kGate);
  const auto per_rank = static_cast<std::size_t>(drawing.tokens_per_rank());
  TokenChoices all;
  TokenChoices of_rank;
  for (int layer = 0; layer < shape.num_layers; ++layer) {
    all.experts.clear();
    all.gates.clear();
    for (RankTokens& tokens : ranks) {
      tokens.draw(layer, drawing.tokens_per_rank(), of_rank);
      all.num_choices = of_rank.num_choices;
      all.experts.insert(all.experts.end(), of_rank.experts.begin(), of_rank.experts.end());
      all.gates.insert(all.gates.end(), of_rank.gates.begin(), of_rank.gates.end());
    }
    const auto receivers = assigner.assign(all);
    RoutingTally& tally = tallies[static_cast<std::size_t>(layer)];
    ReplicaTable* const replicas = drawing.replicas_of(layer);
    for (int rank = 0; rank < shape.num_ranks; ++rank) {
      if (replicas != nullptr) replicas->look_from(rank);
      tally.add(all, static_cast<std::size_t>(rank) * per_rank, per_rank, receivers, replicas);
      tally.end_rank(rank, replicas);
    }
  }
}

std::mt19937_64 expert_choice_engine(const RoutingStream& stream, int layer, int rank) {
  return stream_engine(stream.seed,
                       {kExpertChoiceStream, stream.stack, stream.draw,
                        static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(rank)});
}

/// Where experts choose.
void draw_by_experts(const Drawing& drawing, std::vector<RoutingTally>& tallies) {
  const RoutingShape& shape = drawing.shape;
  const auto per_rank = static_cast<std::size_t>(drawing.tokens_per_rank());
  const auto per_group = static_cast<std::size_t>(shape.group_tokens);
  for (int layer = 0; layer < shape.num_layers; ++layer) {
    RoutingTally& tally = tallies[static_cast<std::size_t>(layer)];
    ReplicaTable* const replicas = drawing.replicas_of(layer);
    std::optional<ExpertChoice> global;
    if (drawing.is_global()) {
      auto rng = expert_choice_engine(drawing.stream, layer, 0);
      global = draw_expert_choice(shape.num_ranks * drawing.tokens_per_rank(), shape.num_experts,
                                  shape.capacity, rng);
    }
    for (int rank = 0; rank < shape.num_ranks; ++rank) {
      if (replicas != nullptr) replicas->look_from(rank);
      if (global) {
        tally.add(*global, static_cast<std::size_t>(rank) * per_rank, per_rank, replicas);
      } else {
        auto rng = expert_choice_engine(drawing.stream, layer, rank);
        for (std::int64_t group = 0; group < shape.groups_per_rank; ++group)
          tally.add(draw_expert_choice(shape.group_tokens, shape.num_experts, shape.capacity, rng),
                    0, per_group, replicas);
      }
      tally.end_rank(rank, replicas);
    }
  }
}

}  // namespace

std::vector<RoutingDraw> draw_routing(const RoutingSpec& spec, const RoutingShape& shape,
                                      const RoutingStream& stream,
                                      std::span<const Destinations> destinations) {
  check(spec, shape);
  SWITCHYARD_CHECK(destinations.size() <= 1 || std::ssize(destinations) == shape.num_layers,
                   "destinations of {} layers, there are {}", destinations.size(),
                   shape.num_layers);
  std::vector<ReplicaTable> replicas;
  for (const Destinations& of_layer : destinations) replicas.emplace_back(of_layer, shape);
  const Drawing drawing{.spec = spec, .shape = shape, .stream = stream, .replicas = replicas};
  std::vector<RoutingTally> tallies;
  for (int layer = 0; layer < shape.num_layers; ++layer)
    tallies.emplace_back(shape, spec.gate.top_k, drawing.replicas_of(layer));
  if (spec.gate.expert_choice) {
    draw_by_experts(drawing, tallies);
  } else {
    const Router router{spec,
                        {.num_experts = shape.num_experts,
                         .num_layers = shape.num_layers,
                         .num_ranks = shape.num_ranks,
                         .tokens_per_rank = drawing.tokens_per_rank()},
                        stream};
    if (drawing.is_global())
      draw_globally(drawing, router, tallies);
    else
      draw_groups(drawing, router, tallies);
  }
  std::vector<RoutingDraw> draws;
  for (RoutingTally& tally : tallies) draws.push_back(tally.take());
  return draws;
}

double dropped_fraction(const RoutingDraw& draw) {
  const auto routed = draw.routed.sum();
  return routed == 0 ? 0.0
                     : static_cast<double>(routed - draw.kept.sum()) / static_cast<double>(routed);
}

std::vector<double> dropped_fraction_by_rank(const RoutingDraw& draw) {
  std::vector<double> fractions;
  for (Eigen::Index rank = 0; rank < draw.routed.rows(); ++rank) {
    const auto routed = static_cast<double>(draw.routed.row(rank).sum());
    const auto kept = static_cast<double>(draw.kept.row(rank).sum());
    fractions.push_back(routed == 0.0 ? 0.0 : (routed - kept) / routed);
  }
  return fractions;
}

double padding_fraction(const RoutingDraw& draw, const RoutingShape& shape, SlotScope scope) {
  if (shape.capacity == kUnlimitedSlots) return 0.0;
  const double scopes =
      scope == SlotScope::kGlobal
          ? 1.0
          : static_cast<double>(shape.num_ranks) * static_cast<double>(shape.groups_per_rank);
  const double slots = scopes * static_cast<double>(shape.capacity) * shape.num_experts;
  return slots == 0.0 ? 0.0 : 1.0 - static_cast<double>(draw.kept.sum()) / slots;
}

namespace {

/// Largest column sum over the mean one.
double imbalance_of_columns(const TokenCounts& counts) {
  const auto by_column = counts.colwise().sum().eval();
  const auto total = static_cast<double>(by_column.sum());
  SWITCHYARD_CHECK(total > 0, "no choices");
  return static_cast<double>(by_column.maxCoeff()) * static_cast<double>(by_column.size()) / total;
}

}  // namespace

double expert_imbalance(const RoutingDraw& draw) { return imbalance_of_columns(draw.routed); }

double rank_imbalance(const RoutingDraw& draw) {
  SWITCHYARD_CHECK(draw.choices_to_rank.size() > 0, "drawn without destinations");
  return imbalance_of_columns(draw.choices_to_rank);
}

int experts_touched(const RoutingDraw& draw) {
  return static_cast<int>((draw.kept.colwise().sum() > 0).count());
}

}  // namespace switchyard
