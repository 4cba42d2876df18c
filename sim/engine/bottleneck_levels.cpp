#include "sim/engine/bottleneck_levels.hpp"

#include <algorithm>
#include <limits>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kRounding = 1e-12;  // relative; smaller differences of levels are ties

}  // namespace

BottleneckLevels::BottleneckLevels(const FlowSet& set, Observer& observer)
    : set_{&set},
      observer_{&observer},
      shares_(set.capacity.size()),
      own_(set.capacity.size()),
      level_(set.capacity.size(), kInfinity),
      position_(set.capacity.size()) {}

void BottleneckLevels::clear(const WaterFilling& filling) {
  for (auto& shares : shares_) shares.clear();
  std::ranges::fill(own_, 0.0);
  std::ranges::fill(level_, kInfinity);
  order_.assign(filling.saturated().begin(), filling.saturated().end());
  for (const std::uint32_t link : order_) level_[link] = filling.level(link);
  for (std::uint32_t link = 0; link < level_.size(); ++link)
    if (level_[link] == kInfinity) order_.push_back(link);
  for (std::size_t k = 0; k < order_.size(); ++k) position_[order_[k]] = k;
  dirty_from_ = 0;
}

void BottleneckLevels::count(std::uint32_t flow, std::uint32_t bottleneck, float change) {
  for (const LinkId crossed : links_of(*set_, flow)) {
    if (crossed.index() == bottleneck) {
      own_[bottleneck] += change;
      continue;
    }
    std::vector<Share>& shares = shares_[crossed.index()];
    auto share = std::ranges::find(shares, bottleneck, &Share::bottleneck);
    if (share == shares.end()) {
      shares.push_back({bottleneck, change});
    } else if ((share->flows += change) == 0) {
      *share = shares.back();
      shares.pop_back();
    }
  }
}

void BottleneckLevels::add(std::uint32_t flow, std::uint32_t bottleneck) {
  count(flow, bottleneck, 1);
}

void BottleneckLevels::remove(std::uint32_t flow, std::uint32_t bottleneck) {
  count(flow, bottleneck, -1);
  dirty_from_ = std::min(dirty_from_, position_[bottleneck]);
}

bool BottleneckLevels::settle() {
  int moves_left = 1000 + static_cast<int>(order_.size());
  for (std::size_t position = dirty_from_; position < order_.size();) {
    const std::uint32_t link = order_[position];
    const std::vector<Share>& shares = shares_[link];
    double used[2] = {0.0, 0.0};  // two sums and maxima, so that they need not wait for each other
    double highest[2] = {0.0, 0.0};
    std::size_t k = 0;
    for (; k + 1 < shares.size(); k += 2) {
      const double first = level_[shares[k].bottleneck];
      const double second = level_[shares[k + 1].bottleneck];
      used[0] += static_cast<double>(shares[k].flows) * first;
      used[1] += static_cast<double>(shares[k + 1].flows) * second;
      highest[0] = std::max(highest[0], first);
      highest[1] = std::max(highest[1], second);
    }
    if (k < shares.size()) {
      used[0] += static_cast<double>(shares[k].flows) * level_[shares[k].bottleneck];
      highest[0] = std::max(highest[0], level_[shares[k].bottleneck]);
    }
    const double capacity = set_->capacity[link].base();
    const double rest = capacity - (used[0] + used[1]);
    const double top = std::max(highest[0], highest[1]);
    double level = kInfinity;
    if (own_[link] > 0.0)
      level = rest / own_[link];
    else if (rest < -kRounding * capacity)
      level = 0.0;
    if (level < top * (1 - kRounding)) {
      if (--moves_left == 0) return false;
      position = take_over(link, position);
    } else {
      place(link, position, std::max(level, top));
      ++position;
    }
  }
  dirty_from_ = order_.size();
  num_holding_ = static_cast<std::size_t>(
      std::ranges::partition_point(order_,
                                   [&](std::uint32_t link) { return level_[link] < kInfinity; }) -
      order_.begin());
  return true;
}

/// Gives `link`, at `position`, its level and moves it before those with higher ones.
void BottleneckLevels::place(std::uint32_t link, std::size_t position, double level) {
  level_[link] = level;
  for (; position > 0 && level_[order_[position - 1]] > level; --position) {
    order_[position] = order_[position - 1];
    position_[order_[position]] = position;
  }
  order_[position] = link;
  position_[link] = position;
}

/// Makes `link` the bottleneck of its flows that have a higher level elsewhere. Returns from which
/// position on levels must be computed again.
std::size_t BottleneckLevels::take_over(std::uint32_t link, std::size_t position) {
  taken_ = shares_[link];
  std::ranges::sort(taken_, std::ranges::greater{}, [&](const Share& share) {
    return std::pair{level_[share.bottleneck], share.bottleneck};
  });
  double rest = set_->capacity[link].base();
  for (const Share& share : taken_)
    rest -= static_cast<double>(share.flows) * level_[share.bottleneck];
  double own = own_[link];
  std::size_t taken = 0;
  while (taken < taken_.size() &&
         (own == 0.0 || rest / own < level_[taken_[taken].bottleneck] * (1 - kRounding))) {
    const double flows = static_cast<double>(taken_[taken].flows);
    rest += flows * level_[taken_[taken].bottleneck];
    own += flows;
    ++taken;
  }
  double level = rest / own;
  if (taken < taken_.size()) level = std::max(level, level_[taken_[taken].bottleneck]);
  taken_.resize(taken);
  place(link, position, level);
  for (const Share& share : taken_) {
    moving_.clear();
    observer_->find_users(share.bottleneck, link, moving_);
    SWITCHYARD_CHECK(static_cast<float>(moving_.size()) == share.flows, "{} of {} flows found",
                     moving_.size(), share.flows);
    for (const std::uint32_t flow : moving_) {
      count(flow, share.bottleneck, -1);
      count(flow, link, 1);
      observer_->moved(flow, share.bottleneck, link);
    }
  }
  return position_[link] + 1;
}

}  // namespace switchyard
