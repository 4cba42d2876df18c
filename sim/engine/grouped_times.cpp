#include <algorithm>
#include <limits>
#include <numeric>

#include "sim/core/error.hpp"
#include "sim/engine/flow_set.hpp"
#include "sim/engine/water_filling.hpp"

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class GroupedRun {
 public:
  explicit GroupedRun(const FlowSet& set);

  FlowTimes run(const Grouping& grouping);

 private:
  void estimate_needs();
  [[nodiscard]] double step_length(double fraction);
  void step(double length);
  [[nodiscard]] double lowest_level(std::uint32_t flow) const;
  void finish_exactly();

  const FlowSet* set_;
  WaterFilling filling_;
  std::vector<std::uint32_t> under_way_;
  std::vector<double> left_;    ///< bytes, by flow
  std::vector<double> limits_;  ///< by flow
  std::vector<double> needs_;   ///< time to end at the last levels; as under_way_
  std::vector<double> sorted_;
  double now_ = 0;
  FlowTimes times_;
};

GroupedRun::GroupedRun(const FlowSet& set)
    : set_{&set}, filling_{set}, under_way_(num_flows(set)), limits_(num_flows(set)) {
  std::iota(under_way_.begin(), under_way_.end(), 0U);
  for (const Bytes bytes : set.bytes) left_.push_back(bytes.base());
  for (const std::uint32_t flow : under_way_) filling_.activate(flow);
  times_.finish.resize(num_flows(set));
}

FlowTimes GroupedRun::run(const Grouping& grouping) {
  SWITCHYARD_CHECK(grouping.fraction > 0.0 && grouping.fraction <= 1.0, "fraction {}",
                   grouping.fraction);
  times_.bound = link_load_bound(*set_);
  if (!under_way_.empty()) filling_.solve();
  while (!under_way_.empty()) {
    if (under_way_.size() < grouping.exact_below) {
      finish_exactly();
      break;
    }
    estimate_needs();
    step(step_length(grouping.fraction));
    ++times_.num_steps;
  }
  times_.makespan = Seconds{now_};
  for (std::size_t flow = 0; flow < num_flows(*set_); ++flow) {
    if (!set_->start.empty()) times_.finish[flow] += set_->start[flow];
    times_.makespan = std::max(times_.makespan, times_.finish[flow]);
  }
  return std::move(times_);
}

/// The time that each flow needs at the lowest level on its path.
void GroupedRun::estimate_needs() {
  needs_.clear();
  for (const std::uint32_t flow : under_way_)
    needs_.push_back(left_[flow] / filling_.level(filling_.bottleneck(flow)));
}

double GroupedRun::step_length(double fraction) {
  const auto ending = static_cast<std::size_t>(fraction * static_cast<double>(needs_.size()));
  sorted_ = needs_;
  const auto last = sorted_.begin() + static_cast<std::ptrdiff_t>(ending);
  std::ranges::nth_element(sorted_, last);
  return *last;
}

void GroupedRun::step(double length) {
  for (const std::uint32_t flow : under_way_) limits_[flow] = left_[flow] / length;
  filling_.solve(limits_);
  std::size_t kept = 0;
  for (const std::uint32_t flow : under_way_) {
    const std::uint32_t link = filling_.bottleneck(flow);
    if (link == WaterFilling::kNone) {
      const double level = lowest_level(flow);
      const double need = level < kInfinity ? left_[flow] / level : length;
      times_.finish[flow] = Seconds{now_ + std::min(need, length)};
      filling_.deactivate(flow);
    } else {
      left_[flow] -= filling_.level(link) * length;
      under_way_[kept++] = flow;
    }
  }
  under_way_.resize(kept);
  now_ += length;
}

/// Infinite when no link on its path is saturated.
double GroupedRun::lowest_level(std::uint32_t flow) const {
  double lowest = kInfinity;
  for (const LinkId link : links_of(*set_, flow))
    lowest = std::min(lowest, filling_.level(link.index()));
  return lowest;
}

void GroupedRun::finish_exactly() {
  FlowSet rest;
  rest.capacity = set_->capacity;
  for (const std::uint32_t flow : under_way_) {
    const auto path = links_of(*set_, flow);
    rest.links.insert(rest.links.end(), path.begin(), path.end());
    rest.first_link.push_back(static_cast<std::uint32_t>(rest.links.size()));
    rest.bytes.emplace_back(left_[flow]);
  }
  const FlowTimes times = exact_times(rest);
  for (std::size_t k = 0; k < under_way_.size(); ++k)
    times_.finish[under_way_[k]] = Seconds{now_} + times.finish[k];
  times_.num_steps += times.num_steps;
}

}  // namespace

FlowTimes grouped_times(const FlowSet& set, const Grouping& grouping) {
  return GroupedRun{set}.run(grouping);
}

}  // namespace switchyard
