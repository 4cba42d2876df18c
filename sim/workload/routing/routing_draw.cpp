#include "sim/workload/routing/routing_draw.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"

namespace switchyard {
namespace {

/// Draws top_k distinct experts into `chosen`, in order of preference.
void draw_choices(const Categorical& popularity, std::vector<std::size_t>& chosen,
                  std::mt19937_64& rng) {
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const auto end = chosen.begin() + static_cast<std::ptrdiff_t>(k);
    do chosen[k] = popularity.draw(rng);
    while (std::find(chosen.begin(), end, chosen[k]) != end);
  }
}

}  // namespace

std::vector<RoutingDraw> draw_routing(const RoutingSpec& spec, const RoutingShape& shape,
                                      const RoutingStream& stream, const Destinations*) {
  const int top_k = spec.gate.top_k;
  SWITCHYARD_CHECK(1 <= top_k && top_k <= shape.num_experts, "top_k {} of {} experts", top_k,
                   shape.num_experts);
  auto rng = stream_engine(stream.seed, {stream.stack, stream.draw});
  PopularitySpec shares = UniformPopularity{};
  if (const auto* fixed = std::get_if<FixedRouter>(&spec.router)) shares = fixed->popularity;
  if (const auto* learned = std::get_if<LearnedRouter>(&spec.router))
    shares = LognormalPopularity{learned->lognormal_sigma};
  const Categorical popularity{draw_popularity(shares, shape.num_experts, rng)};
  RoutingDraw draw{.num_tokens = shape.num_ranks * shape.groups_per_rank * shape.group_tokens,
                   .routed = TokenCounts::Zero(shape.num_ranks, shape.num_experts),
                   .kept = TokenCounts::Zero(shape.num_ranks, shape.num_experts),
                   .dropped_by_choice = {},
                   .choices_to_rank = {},
                   .tokens_to_rank = {},
                   .tokens_to_node = {}};

  std::vector<std::size_t> chosen(static_cast<std::size_t>(top_k));
  TokenCounts choices(top_k, shape.num_experts);  // of one group, by preference
  for (int rank = 0; rank < shape.num_ranks; ++rank) {
    for (std::int64_t group = 0; group < shape.groups_per_rank; ++group) {
      choices.setZero();
      for (std::int64_t token = 0; token < shape.group_tokens; ++token) {
        draw_choices(popularity, chosen, rng);
        for (int k = 0; k < top_k; ++k)
          ++choices(k, static_cast<Eigen::Index>(chosen[static_cast<std::size_t>(k)]));
      }
      for (int expert = 0; expert < shape.num_experts; ++expert) {
        const std::int64_t wanted = choices.col(expert).sum();
        draw.routed(rank, expert) += wanted;
        draw.kept(rank, expert) += std::min(wanted, shape.capacity);
      }
    }
  }
  return {std::move(draw)};
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

double padding_fraction(const RoutingDraw& draw, const RoutingShape& shape) {
  if (shape.capacity == kUnlimitedSlots) return 0.0;
  const double slots = static_cast<double>(shape.num_ranks) *
                       static_cast<double>(shape.groups_per_rank * shape.capacity) *
                       shape.num_experts;
  return 1.0 - static_cast<double>(draw.kept.sum()) / slots;
}

double expert_imbalance(const RoutingDraw& draw) {
  const auto by_expert = draw.routed.colwise().sum().eval();
  const auto total = static_cast<double>(by_expert.sum());
  SWITCHYARD_CHECK(total > 0, "no tokens routed");
  return static_cast<double>(by_expert.maxCoeff()) * static_cast<double>(by_expert.size()) / total;
}

int experts_touched(const RoutingDraw& draw) {
  return static_cast<int>((draw.kept.colwise().sum() > 0).count());
}

}  // namespace switchyard
