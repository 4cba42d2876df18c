#include "sim/workload/routing/placement.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

void check_sizes(int num_experts, int num_ranks) {
  SWITCHYARD_CHECK(num_experts >= 1 && num_ranks >= 1, "{} experts on {} ranks", num_experts,
                   num_ranks);
}

/// Replicas of each expert: one, and `extra` more to where the load per replica is largest.
std::vector<int> replica_counts(std::span<const double> loads, int num_ranks, int extra) {
  std::vector<int> replicas(loads.size(), 1);
  const auto comes_after = [&](std::size_t a, std::size_t b) {
    const double load_a = loads[a] / replicas[a];
    const double load_b = loads[b] / replicas[b];
    return load_a < load_b || (load_a == load_b && a > b);
  };
  std::vector<std::size_t> heap;
  if (num_ranks > 1) {
    heap.resize(loads.size());
    std::iota(heap.begin(), heap.end(), std::size_t{0});
  }
  std::ranges::make_heap(heap, comes_after);
  for (int i = 0; i < extra; ++i) {
    std::ranges::pop_heap(heap, comes_after);
    const std::size_t expert = heap.back();
    if (++replicas[expert] == num_ranks)
      heap.pop_back();
    else
      std::ranges::push_heap(heap, comes_after);
  }
  return replicas;
}

/// A rank being filled.
struct Bin {
  double load = 0.0;
  std::vector<std::size_t> experts{};

  [[nodiscard]] bool holds(std::size_t expert) const {
    return std::ranges::find(experts, expert) != experts.end();
  }
  void put(std::size_t expert, double weight) {
    experts.push_back(expert);
    load += weight;
  }
};

/// Every rank without `expert` is full: one of them hands the lightest expert it may to a rank
/// with room, and takes `expert`. There always is one: the rank with room holds fewer experts than
/// a full one, and `expert` is among them.
void put_by_swap(std::vector<Bin>& bins, std::size_t expert, std::span<const double> weights,
                 std::size_t places) {
  const auto room =
      std::ranges::find_if(bins, [&](const Bin& bin) { return bin.experts.size() < places; });
  Bin* full = nullptr;
  for (Bin& bin : bins)
    if (!bin.holds(expert) && (full == nullptr || bin.load < full->load)) full = &bin;
  SWITCHYARD_CHECK(room != bins.end() && full != nullptr, "no place for expert {}", expert);
  auto moved = full->experts.end();
  for (auto it = full->experts.begin(); it != full->experts.end(); ++it)
    if (!room->holds(*it) && (moved == full->experts.end() || weights[*it] < weights[*moved]))
      moved = it;
  const std::size_t other = *moved;
  full->experts.erase(moved);
  full->load -= weights[other];
  room->put(other, weights[other]);
  full->put(expert, weights[expert]);
}

}  // namespace

ExpertPlacement contiguous_placement(int num_experts, int num_ranks) {
  check_sizes(num_experts, num_ranks);
  ExpertPlacement placement{.num_ranks = num_ranks, .ranks_of = {}};
  for (std::int64_t expert = 0; expert < num_experts; ++expert)
    placement.ranks_of.push_back(
        {RankId{static_cast<std::int32_t>(expert * num_ranks / num_experts)}});
  return placement;
}

ExpertPlacement round_robin_placement(int num_experts, int num_ranks) {
  check_sizes(num_experts, num_ranks);
  ExpertPlacement placement{.num_ranks = num_ranks, .ranks_of = {}};
  for (int expert = 0; expert < num_experts; ++expert)
    placement.ranks_of.push_back({RankId{expert % num_ranks}});
  return placement;
}

ExpertPlacement replicated_placement(std::span<const double> loads, int num_ranks,
                                     int extra_slots) {
  const auto num_experts = static_cast<int>(loads.size());
  check_sizes(num_experts, num_ranks);
  SWITCHYARD_CHECK(extra_slots >= 0 && (num_experts + extra_slots) % num_ranks == 0 &&
                       extra_slots <= std::int64_t{num_experts} * (num_ranks - 1),
                   "{} experts and {} more places on {} ranks", num_experts, extra_slots,
                   num_ranks);
  for (const double load : loads)
    SWITCHYARD_CHECK(std::isfinite(load) && load >= 0.0, "load {}", load);

  const std::vector<int> replicas = replica_counts(loads, num_ranks, extra_slots);
  std::vector<double> weights(loads.size());  // of one replica
  for (std::size_t e = 0; e < loads.size(); ++e) weights[e] = loads[e] / replicas[e];
  std::vector<std::size_t> heaviest_first(loads.size());
  std::iota(heaviest_first.begin(), heaviest_first.end(), std::size_t{0});
  std::ranges::stable_sort(heaviest_first, std::greater{},
                           [&](std::size_t expert) { return weights[expert]; });

  const auto places = static_cast<std::size_t>((num_experts + extra_slots) / num_ranks);
  std::vector<Bin> bins(static_cast<std::size_t>(num_ranks));
  for (const std::size_t expert : heaviest_first)
    for (int i = 0; i < replicas[expert]; ++i) {
      Bin* lightest = nullptr;
      for (Bin& bin : bins)
        if (bin.experts.size() < places && (lightest == nullptr || bin.load < lightest->load) &&
            !bin.holds(expert))
          lightest = &bin;
      if (lightest != nullptr)
        lightest->put(expert, weights[expert]);
      else
        put_by_swap(bins, expert, weights, places);
    }

  ExpertPlacement placement{.num_ranks = num_ranks, .ranks_of = {}};
  placement.ranks_of.resize(loads.size());
  for (std::size_t rank = 0; rank < bins.size(); ++rank)
    for (const std::size_t expert : bins[rank].experts)
      placement.ranks_of[expert].emplace_back(static_cast<std::int32_t>(rank));
  return placement;
}

RankId replica_for(const ExpertPlacement& placement, int expert, RankId source) {
  const std::vector<RankId>& ranks = placement.ranks_of[static_cast<std::size_t>(expert)];
  if (std::ranges::binary_search(ranks, source)) return source;
  return ranks[source.index() % ranks.size()];
}

}  // namespace switchyard
