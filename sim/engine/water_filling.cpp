#include "sim/engine/water_filling.hpp"

#include <algorithm>
#include <functional>

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEqual = 1 + 1e-12;  // shares that differ by rounding only

}  // namespace

WaterFilling::WaterFilling(const FlowSet& set)
    : set_{&set},
      is_active_(num_flows(set), 0),
      count_(set.capacity.size(), 0.0),
      bottleneck_(num_flows(set), kNone),
      level_(set.capacity.size(), kInfinity),
      is_fixed_(num_flows(set), 0),
      rest_(set.capacity.size()),
      users_(set.capacity.size()) {}

void WaterFilling::activate(std::size_t flow) {
  is_active_[flow] = 1;
  ++num_active_;
  first_user_.clear();  // it may have been dropped from the index while it was not active
  for (const LinkId link : links_of(*set_, flow)) count_[link.index()] += 1.0;
}

void WaterFilling::deactivate(std::size_t flow) {
  is_active_[flow] = 0;
  --num_active_;
  for (const LinkId link : links_of(*set_, flow)) count_[link.index()] -= 1.0;
}

void WaterFilling::solve(std::span<const double> limits) {
  for (std::size_t link = 0; link < rest_.size(); ++link) rest_[link] = set_->capacity[link].base();
  users_ = count_;
  std::ranges::fill(level_, kInfinity);
  std::ranges::fill(is_fixed_, 0);
  saturated_.clear();
  num_fixed_ = 0;
  if (limits.empty() && first_user_.empty())
    while (num_fixed_ < num_active_ && fix_lowest_links()) {
    }
  if (num_fixed_ < num_active_) fill_by_heap(limits);
}

/// Fixes the flows of all links with the lowest share. False when there are so few that passes over
/// all flows do not pay.
bool WaterFilling::fix_lowest_links() {
  double lowest = kInfinity;
  for (std::size_t link = 0; link < rest_.size(); ++link)
    if (users_[link] > 0.0) lowest = std::min(lowest, rest_[link] / users_[link]);
  constexpr LinkId kHigher{std::numeric_limits<std::int32_t>::max()};
  std::vector<LinkId> lowest_link(rest_.size(), kHigher);  // itself, for links with that share
  double at_most = 0.0;                                    // their flows, counted once for each
  for (std::size_t link = 0; link < rest_.size(); ++link) {
    if (!(users_[link] > 0.0 && rest_[link] / users_[link] <= lowest * kEqual)) continue;
    lowest_link[link] = LinkId{static_cast<std::int32_t>(link)};
    at_most += users_[link];
  }
  constexpr double kWorthAPass = 0.125;
  if (at_most < kWorthAPass * static_cast<double>(num_active_ - num_fixed_)) return false;

  const std::size_t flows = num_flows(*set_);
  const std::size_t fixed_before = num_fixed_;
  constexpr char kFixedNow = 2;
  for (std::size_t flow = 0; flow < flows; ++flow) {
    if (is_active_[flow] == 0 || is_fixed_[flow] != 0) continue;
    LinkId first = kHigher;
    for (const LinkId link : links_of(*set_, flow))
      first = std::min(first, lowest_link[link.index()]);
    if (first == kHigher) continue;
    bottleneck_[flow] = static_cast<std::uint32_t>(first.index());
    level_[first.index()] = lowest;
    is_fixed_[flow] = kFixedNow;
    ++num_fixed_;
  }
  for (const LinkId link : lowest_link)
    if (link != kHigher && level_[link.index()] < kInfinity)
      saturated_.push_back(static_cast<std::uint32_t>(link.index()));
  if (num_fixed_ == num_active_) return true;
  for (std::size_t flow = 0; flow < flows; ++flow) {
    if (is_fixed_[flow] != kFixedNow) continue;
    is_fixed_[flow] = 1;
    for (const LinkId link : links_of(*set_, flow)) {
      rest_[link.index()] -= lowest;
      users_[link.index()] -= 1.0;
    }
  }
  return 8 * (num_fixed_ - fixed_before) > num_active_ - num_fixed_;
}

void WaterFilling::build_index() {
  const std::size_t links = rest_.size();
  first_user_.assign(links + 1, 0);
  for (const LinkId link : set_->links) ++first_user_[link.index() + 1];
  for (std::size_t link = 0; link < links; ++link) first_user_[link + 1] += first_user_[link];
  user_.resize(set_->links.size());
  end_user_.assign(first_user_.begin(), first_user_.end() - 1);
  for (std::size_t flow = 0; flow < num_flows(*set_); ++flow)
    for (const LinkId link : links_of(*set_, flow))
      user_[end_user_[link.index()]++] = static_cast<std::uint32_t>(flow);
}

void WaterFilling::fix(std::size_t flow, std::uint32_t bottleneck, double rate) {
  is_fixed_[flow] = 1;
  bottleneck_[flow] = bottleneck;
  ++num_fixed_;
  for (const LinkId link : links_of(*set_, flow)) {
    rest_[link.index()] -= rate;
    users_[link.index()] -= 1.0;
  }
}

void WaterFilling::fill_by_heap(std::span<const double> limits) {
  if (first_user_.empty()) build_index();
  shares_.clear();
  for (std::size_t link = 0; link < rest_.size(); ++link)
    if (users_[link] > 0.0)
      shares_.emplace_back(rest_[link] / users_[link], static_cast<std::uint32_t>(link));
  const std::greater<> lowest_first;
  std::ranges::make_heap(shares_, lowest_first);
  while (num_fixed_ < num_active_ && !shares_.empty()) {
    std::ranges::pop_heap(shares_, lowest_first);
    const auto [share, link] = shares_.back();
    shares_.pop_back();
    if (users_[link] < 0.5) continue;
    double level = rest_[link] / users_[link];
    if (level > share * kEqual) {  // it has grown since; shares never shrink
      shares_.emplace_back(level, link);
      std::ranges::push_heap(shares_, lowest_first);
      continue;
    }
    const auto users =
        std::span{user_}.subspan(first_user_[link], end_user_[link] - first_user_[link]);
    if (!limits.empty()) {
      for (const std::uint32_t flow : users)
        if (is_active_[flow] != 0 && is_fixed_[flow] == 0 && limits[flow] <= level * kEqual)
          fix(flow, kNone, limits[flow]);
      if (users_[link] < 0.5) continue;
      if (rest_[link] / users_[link] > level * kEqual) {
        shares_.emplace_back(rest_[link] / users_[link], link);
        std::ranges::push_heap(shares_, lowest_first);
        continue;
      }
      level = rest_[link] / users_[link];
    }
    level_[link] = level;
    saturated_.push_back(link);
    std::size_t kept = first_user_[link];
    for (const std::uint32_t flow : users) {
      if (is_active_[flow] == 0) continue;
      user_[kept++] = flow;
      if (is_fixed_[flow] == 0) fix(flow, link, level);
    }
    end_user_[link] = static_cast<std::uint32_t>(kept);
  }
}

}  // namespace switchyard
