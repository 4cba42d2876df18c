#include "sim/workload/routing/node_limit.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/workload/routing/token_gate.hpp"

namespace switchyard {

GroupedShares group_shares(std::span<const double> shares, int num_groups) {
  SWITCHYARD_CHECK(num_groups >= 1 && shares.size() % static_cast<std::size_t>(num_groups) == 0,
                   "{} experts in {} groups", shares.size(), num_groups);
  const std::size_t group_size = shares.size() / static_cast<std::size_t>(num_groups);
  GroupedShares groups;
  for (std::size_t begin = 0; begin < shares.size(); begin += group_size) {
    const auto members = shares.subspan(begin, group_size);
    std::vector<double> within{members.begin(), members.end()};
    const double mass = std::accumulate(within.begin(), within.end(), 0.0);
    // A group that nobody likes arrives last, its experts in any order.
    for (double& share : within)
      share = mass > 0.0 ? share / mass : 1.0 / static_cast<double>(group_size);
    groups.within.emplace_back(std::move(within));
    groups.mass.push_back(mass);
  }
  return groups;
}

NodeLimitedChoice::NodeLimitedChoice(int num_groups, int groups_per_token, int num_choices)
    : groups_per_token_{groups_per_token},
      races_(static_cast<std::size_t>(num_groups)),
      by_score_(races_.size()),
      times_(static_cast<std::size_t>(num_choices)) {}

void NodeLimitedChoice::start(const GroupedShares& groups, std::mt19937_64& rng) {
  for (std::size_t g = 0; g < races_.size(); ++g) {
    Race& race = races_[g];
    race.taken.clear();
    race.first = groups.within[g].draw(rng);
    race.first_time = next_arrival(0.0, groups.mass[g], rng);
    race.rest = rest_after(groups.within[g], 1.0, std::span{&race.first, 1});
    race.second_time = next_arrival(race.first_time, groups.mass[g] * race.rest, rng);
    race.next_time = race.first_time;
    race.score = 1.0 / (1.0 + race.first_time) + 1.0 / (1.0 + race.second_time);
  }
}

void NodeLimitedChoice::draw(const GroupedShares& groups, std::span<std::int32_t> chosen,
                             std::mt19937_64& rng) {
  start(groups, rng);
  std::iota(by_score_.begin(), by_score_.end(), std::size_t{0});
  const auto best_end = by_score_.begin() + groups_per_token_;
  std::partial_sort(by_score_.begin(), best_end, by_score_.end(),
                    [&](std::size_t a, std::size_t b) {
                      return std::pair{-races_[a].score, a} < std::pair{-races_[b].score, b};
                    });
  const std::size_t group_size = groups.within.front().shares().size();
  for (std::size_t j = 0; j < chosen.size(); ++j) {
    Race* next = nullptr;
    std::size_t group = 0;
    for (auto best = by_score_.begin(); best != best_end; ++best) {
      Race& race = races_[*best];
      if (race.taken.size() == group_size) continue;
      if (next != nullptr && race.next_time >= next->next_time) continue;
      next = &race;
      group = *best;
    }
    SWITCHYARD_CHECK(next != nullptr, "choice {} of {}: no expert left", j, chosen.size());
    const ExpertShares& within = groups.within[group];
    next->taken.push_back(next->taken.empty() ? next->first : within.draw_other(next->taken, rng));
    chosen[j] = static_cast<std::int32_t>(group * group_size) + next->taken.back();
    times_[j] = next->next_time;
    if (next->taken.size() == 1) {
      next->next_time = next->second_time;
    } else {
      next->rest = rest_after(within, next->rest, next->taken);
      next->next_time = next_arrival(next->next_time, groups.mass[group] * next->rest, rng);
    }
  }
}

}  // namespace switchyard
