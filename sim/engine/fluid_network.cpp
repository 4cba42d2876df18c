#include "sim/engine/fluid_network.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEqual = 1 + 1e-13;   // shares that differ by rounding only
constexpr double kSameRate = 1e-14;    // relative; not worth a new date
constexpr std::uint32_t kTouched = 0;  // mark of a link in touched_

}  // namespace

FluidNetwork::FluidNetwork(std::vector<double> capacity) : links_(capacity.size()) {
  for (std::size_t link = 0; link < links_.size(); ++link) {
    links_[link].capacity = capacity[link];
    links_[link].mark = mark_;
  }
}

void FluidNetwork::touch(std::uint32_t link) {
  if (links_[link].mark == kTouched) return;
  links_[link].mark = kTouched;
  touched_.push_back(link);
}

std::uint32_t FluidNetwork::add(double now, double bytes, std::span<const LinkId> path) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(flows_.size()));
    flows_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  ++num_active_;
  ActiveFlow& flow = flows_[number];
  flow.left = bytes;
  flow.since = now;
  flow.rate = 0;
  flow.order = order_++;
  flow.slowest = kInfinity;
  for (const LinkId link : path)
    flow.slowest = std::min(flow.slowest, links_[link.index()].capacity);
  flow.hops.resize(path.size());
  bool is_alone = true;
  for (std::uint32_t k = 0; k < path.size(); ++k) {
    const auto index = static_cast<std::uint32_t>(path[k].index());
    LinkState& link = links_[index];
    flow.hops[k] = {index, static_cast<std::uint32_t>(link.users.size())};
    link.users.push_back({number, k});
    if (link.capacity > flow.slowest)
      link.wanted += flow.slowest;
    else
      ++link.slowest_of;
    if (!may_bind(link)) continue;
    is_alone = false;
    touch(index);
  }
  if (is_alone) set_rate(now, number, flow.slowest);
  return number;
}

void FluidNetwork::remove(std::uint32_t number) {
  ActiveFlow& flow = flows_[number];
  ++flow.version;
  --num_active_;
  for (const Hop hop : flow.hops) {
    LinkState& link = links_[hop.link];
    if (may_bind(link)) touch(hop.link);
    const User last = link.users.back();
    link.users[hop.place] = last;
    flows_[last.flow].hops[last.hop].place = hop.place;
    link.users.pop_back();
    if (link.capacity > flow.slowest)
      link.wanted -= flow.slowest;
    else
      --link.slowest_of;
    if (link.users.empty()) link.wanted = 0;  // not what rounding left
  }
  free_.push_back(number);
}

void FluidNetwork::set_rate(double now, std::uint32_t number, double rate) {
  ActiveFlow& flow = flows_[number];
  if (std::abs(rate - flow.rate) <= kSameRate * rate) return;
  flow.left = std::max(flow.left - flow.rate * (now - flow.since), 0.0);
  flow.since = now;
  flow.rate = rate;
  ends_.push(now + flow.left / rate, {number, ++flow.version});
}

void FluidNetwork::settle(double now) {
  if (touched_.empty()) return;
  find_joined();
  fill(now);
  touched_.clear();
  // A long run with much contention would otherwise hold many old dates for each flow.
  if (ends_.size() <= 1024 + 8 * num_active_) return;
  popped_.clear();
  EventQueue<End> current;
  while (!ends_.empty()) {
    const double date = ends_.next_date();
    popped_.clear();
    ends_.pop(popped_);
    for (const End end : popped_)
      if (flows_[end.flow].version == end.version) current.push(date, end);
  }
  ends_ = std::move(current);
}

void FluidNetwork::find_joined() {
  ++mark_;
  joined_links_ = touched_;
  joined_flows_.clear();
  for (const std::uint32_t link : joined_links_) links_[link].mark = mark_;
  for (std::size_t k = 0; k < joined_links_.size(); ++k) {
    for (const User user : links_[joined_links_[k]].users) {
      ActiveFlow& flow = flows_[user.flow];
      if (flow.mark == mark_) continue;
      flow.mark = mark_;
      flow.is_fixed = false;
      joined_flows_.push_back(user.flow);
      for (const Hop hop : flow.hops) {
        LinkState& link = links_[hop.link];
        if (link.mark == mark_ || (link.capacity > flow.slowest && !may_bind(link))) continue;
        link.mark = mark_;
        joined_links_.push_back(hop.link);
      }
    }
  }
}

void FluidNetwork::fill(double now) {
  shares_.clear();
  for (const std::uint32_t index : joined_links_) {
    LinkState& link = links_[index];
    link.rest = link.capacity;
    link.num_free = static_cast<int>(link.users.size());
    if (link.num_free > 0) shares_.emplace_back(link.rest / link.num_free, index);
  }
  std::ranges::make_heap(shares_, std::greater<>{});
  const auto fix = [&](std::uint32_t number, double rate) {
    ActiveFlow& flow = flows_[number];
    flow.is_fixed = true;
    for (const Hop hop : flow.hops) {
      links_[hop.link].rest -= rate;
      --links_[hop.link].num_free;
    }
    set_rate(now, number, rate);
  };
  while (!shares_.empty()) {
    std::ranges::pop_heap(shares_, std::greater<>{});
    const auto [share, index] = shares_.back();
    shares_.pop_back();
    const LinkState& link = links_[index];
    if (link.num_free == 0) continue;
    const double level = link.rest / link.num_free;
    if (level > share * kEqual) {
      shares_.emplace_back(level, index);
      std::ranges::push_heap(shares_, std::greater<>{});
      continue;
    }
    for (const User user : link.users)
      if (!flows_[user.flow].is_fixed) fix(user.flow, level);
  }
}

double FluidNetwork::next_end() {
  while (!ends_.empty()) {
    const double date = ends_.next_date();
    if (ends_.any_of_next([&](const End& end) { return flows_[end.flow].version == end.version; }))
      return date;
    popped_.clear();
    ends_.pop(popped_);
  }
  return kInfinity;
}

void FluidNetwork::take_ended(double date, std::vector<std::uint32_t>& ended) {
  popped_.clear();
  while (!ends_.empty() && ends_.next_date() <= date) ends_.pop(popped_);
  const std::size_t before = ended.size();
  for (const End end : popped_)
    if (flows_[end.flow].version == end.version) ended.push_back(end.flow);
  std::sort(ended.begin() + static_cast<std::ptrdiff_t>(before), ended.end(),
            [&](std::uint32_t a, std::uint32_t b) { return flows_[a].order < flows_[b].order; });
  for (std::size_t k = before; k < ended.size(); ++k) remove(ended[k]);
}

}  // namespace switchyard
