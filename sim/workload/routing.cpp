#include "sim/workload/routing.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"

namespace switchyard {
namespace {

std::vector<double> draw_popularity(const RoutingSpec& spec, int num_experts,
                                    std::mt19937_64& rng) {
  std::vector<double> popularity(static_cast<std::size_t>(num_experts), 1.0);
  if (spec.lognormal_sigma > 0)
    for (double& weight : popularity)
      weight = std::exp(spec.lognormal_sigma * standard_normal(rng));
  return popularity;
}

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

RoutingDraw draw_routing(const RoutingSpec& spec, const RoutingShape& shape, std::mt19937_64& rng) {
  SWITCHYARD_CHECK(1 <= spec.top_k && spec.top_k <= shape.num_experts, "top_k {} of {} experts",
                   spec.top_k, shape.num_experts);
  const Categorical popularity{draw_popularity(spec, shape.num_experts, rng)};
  RoutingDraw draw{.routed = TokenCounts::Zero(shape.num_ranks, shape.num_experts),
                   .kept = TokenCounts::Zero(shape.num_ranks, shape.num_experts)};

  std::vector<std::size_t> chosen(static_cast<std::size_t>(spec.top_k));
  TokenCounts choices(spec.top_k, shape.num_experts);  // of one group, by preference
  for (int rank = 0; rank < shape.num_ranks; ++rank) {
    for (std::int64_t group = 0; group < shape.groups_per_rank; ++group) {
      choices.setZero();
      for (std::int64_t token = 0; token < shape.group_tokens; ++token) {
        draw_choices(popularity, chosen, rng);
        for (int k = 0; k < spec.top_k; ++k)
          ++choices(k, static_cast<Eigen::Index>(chosen[static_cast<std::size_t>(k)]));
      }
      for (int expert = 0; expert < shape.num_experts; ++expert) {
        const std::int64_t wanted = choices.col(expert).sum();
        draw.routed(rank, expert) += wanted;
        draw.kept(rank, expert) += std::min(wanted, shape.capacity);
      }
    }
  }
  return draw;
}

double dropped_fraction(const RoutingDraw& draw) {
  const auto routed = draw.routed.sum();
  return routed == 0 ? 0.0
                     : static_cast<double>(routed - draw.kept.sum()) / static_cast<double>(routed);
}

double padding_fraction(const RoutingDraw& draw, const RoutingShape& shape) {
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

double expected_dropped_fraction(std::int64_t group_tokens, int num_experts,
                                 std::int64_t capacity) {
  SWITCHYARD_CHECK(group_tokens >= 1 && num_experts >= 1 && capacity >= 0,
                   "{} tokens, {} experts, capacity {}", group_tokens, num_experts, capacity);
  const auto trials = static_cast<double>(group_tokens);
  if (num_experts == 1) return std::max(0.0, trials - static_cast<double>(capacity)) / trials;
  const double probability = 1.0 / num_experts;
  double overflow = 0.0;
  for (std::int64_t load = capacity + 1; load <= group_tokens; ++load) {
    const auto x = static_cast<double>(load);
    const double log_mass = std::lgamma(trials + 1) - std::lgamma(x + 1) -
                            std::lgamma(trials - x + 1) + x * std::log(probability) +
                            (trials - x) * std::log1p(-probability);
    overflow += (x - static_cast<double>(capacity)) * std::exp(log_mass);
  }
  return overflow * num_experts / trials;
}

}  // namespace switchyard
