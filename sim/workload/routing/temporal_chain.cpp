#include "sim/workload/routing/temporal_chain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/random.hpp"

namespace switchyard {

LayerMemory memory_of_layer(std::span<const LayerMemory> listed, int layer) {
  const auto above = std::ranges::lower_bound(listed, layer, {}, &LayerMemory::layer);
  if (above == listed.end()) return listed.back();
  if (above == listed.begin() || above->layer == layer) return *above;
  const LayerMemory& high = *above;
  const LayerMemory& low = *(above - 1);
  const double weight = static_cast<double>(layer - low.layer) / (high.layer - low.layer);
  const bool low_is_nearer = layer - low.layer <= high.layer - layer;
  return {.layer = layer,
          .popularity = low_is_nearer ? low.popularity : high.popularity,
          .first_tilt = std::lerp(low.first_tilt, high.first_tilt, weight),
          .second_tilt = std::lerp(low.second_tilt, high.second_tilt, weight)};
}

TiltedShares::TiltedShares(const ExpertShares& base, const LayerMemory& memory, LastChoices last)
    : base_{&base} {
  const auto tilt_by = [&](Tilted& tilted, std::int32_t expert, double tilt) {
    if (expert == kNoExpert || tilt == 0.0) return;
    tilted = {.expert = expert, .tilt = tilt, .added = base.weight(expert) * tilt};
    total_ += tilted.added;
    positive_total_ += std::max(tilted.added, 0.0);
  };
  tilt_by(tilted_[0], last.first, memory.first_tilt);
  tilt_by(tilted_[1], last.second, memory.second_tilt);
}

double TiltedShares::weight(std::int32_t expert) const {
  double weight = base_->weight(expert);
  for (const Tilted& tilted : tilted_)
    if (tilted.expert == expert) weight *= 1.0 + tilted.tilt;
  return weight;
}

std::vector<std::int32_t> TiltedShares::with_tilted(std::span<const std::int32_t> taken) const {
  std::vector<std::int32_t> both{taken.begin(), taken.end()};
  for (const Tilted& tilted : tilted_)
    if (tilted.expert != kNoExpert && !contains(taken, tilted.expert))
      both.push_back(tilted.expert);
  return both;
}

double TiltedShares::rest(std::span<const std::int32_t> taken) const {
  const std::vector<std::int32_t> both = with_tilted(taken);
  double sum = base_->rest(both);
  for (std::size_t i = taken.size(); i < both.size(); ++i) sum += weight(both[i]);
  return sum;
}

std::int32_t TiltedShares::draw_other(std::span<const std::int32_t> taken,
                                      std::mt19937_64& rng) const {
  for (int i = 0; i < kMaxRejections; ++i) {
    std::int32_t expert = kNoExpert;
    if (positive_total_ > 1.0) {
      double target = positive_total_ * open_unit(rng) - 1.0;
      for (const Tilted& tilted : tilted_) {
        if (expert != kNoExpert || target < 0.0) break;
        if (target < tilted.added) expert = tilted.expert;
        target -= std::max(tilted.added, 0.0);
      }
    }
    if (expert == kNoExpert) {
      expert = base_->draw(rng);
      const bool accepted = std::ranges::all_of(tilted_, [&](const Tilted& tilted) {
        return tilted.expert != expert || tilted.tilt >= 0.0 || open_unit(rng) < 1.0 + tilted.tilt;
      });
      if (!accepted) continue;
    }
    if (!contains(taken, expert)) return expert;
  }
  return search_other(taken, rng);
}

std::int32_t TiltedShares::search_other(std::span<const std::int32_t> taken,
                                        std::mt19937_64& rng) const {
  const std::vector<std::int32_t> both = with_tilted(taken);
  const bool others_left = both.size() < shares().size();
  double target = rest(taken) * open_unit(rng);
  std::int32_t last_resort = kNoExpert;
  for (std::size_t i = taken.size(); i < both.size(); ++i) {
    if (target < weight(both[i])) return both[i];
    target -= weight(both[i]);
    if (last_resort == kNoExpert || weight(both[i]) > 0.0) last_resort = both[i];
  }
  return others_left ? base_->search_other(both, rng) : last_resort;
}

std::vector<double> long_run_shares(std::span<const double> shares, const LayerMemory& memory,
                                    int top_k) {
  const std::size_t size = shares.size();
  const double first_tilt = memory.first_tilt;
  const double second_tilt = top_k >= 2 && size >= 2 ? memory.second_tilt : 0.0;
  std::vector<double> first{shares.begin(), shares.end()};
  std::vector<double> next(size);
  constexpr int kMaxRounds = 1000;
  constexpr double kClose = 1e-12;    // of shares, in sum: far below the approximation
  constexpr double kSmall = 0x1p-52;  // no division by 0 where one expert has all
  double change = 1.0;
  for (int round = 0; round < kMaxRounds && change > kClose; ++round) {
    const auto odds = [&](std::size_t e) { return first[e] / std::max(1.0 - first[e], kSmall); };
    double sum_odds = 0.0;
    double sum_shares_odds = 0.0;
    double mean_share = 0.0;
    for (std::size_t e = 0; e < size; ++e) {
      sum_odds += odds(e);
      sum_shares_odds += shares[e] * odds(e);
      mean_share += shares[e] * first[e];
    }
    const auto after_first = [&](std::size_t e) {
      const double share_of_second =
          (mean_share - shares[e] * first[e]) / std::max(1.0 - first[e], kSmall);
      const double total = 1.0 + first_tilt * shares[e] + second_tilt * share_of_second;
      return first[e] / std::max(total, kSmall);
    };
    const auto after_second = [&](std::size_t e) {
      const double other_odds = std::max(sum_odds - odds(e), kSmall);
      const double share_of_first = (sum_shares_odds - shares[e] * odds(e)) / other_odds;
      const double total = 1.0 + second_tilt * shares[e] + first_tilt * share_of_first;
      return first[e] * other_odds / std::max(total, kSmall);
    };
    double all = 0.0;
    for (std::size_t e = 0; e < size; ++e) all += after_first(e);
    for (std::size_t e = 0; e < size; ++e) {
      next[e] = all + first_tilt * after_first(e);
      if (second_tilt != 0.0) next[e] += second_tilt * after_second(e);
      next[e] *= shares[e];
    }
    const double sum = std::accumulate(next.begin(), next.end(), 0.0);
    change = 0.0;
    for (std::size_t e = 0; e < size; ++e) {
      next[e] /= sum;
      change += std::abs(next[e] - first[e]);
    }
    first.swap(next);
  }
  return first;
}

}  // namespace switchyard
