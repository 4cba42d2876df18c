#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "sim/core/error.hpp"
#include "sim/engine/bottleneck_levels.hpp"
#include "sim/engine/flow_set.hpp"
#include "sim/engine/water_filling.hpp"

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTogether = 1e-12;       // relative to the date
constexpr double kClockRounding = 1e-15;  // relative to the clock

class ExactRun final : BottleneckLevels::Observer {
 public:
  explicit ExactRun(const FlowSet& set);

  FlowTimes run();

 private:
  /// The end of a flow in the time of its bottleneck: bytes that each flow there has got by then.
  struct End {
    double clock = 0;
    std::uint32_t flow = 0;
    friend auto operator<=>(const End&, const End&) = default;
  };

  void begin_flows();
  void rebuild();
  [[nodiscard]] double common_end() const;
  [[nodiscard]] double next_end() const;
  void pass(double seconds);
  void end_flows(double together);
  void update_next(std::uint32_t link);
  void find_users(std::uint32_t from, std::uint32_t link,
                  std::vector<std::uint32_t>& flows) override;
  void moved(std::uint32_t flow, std::uint32_t from, std::uint32_t to) override;

  const FlowSet* set_;
  WaterFilling filling_;
  BottleneckLevels levels_;
  std::vector<std::uint32_t> by_start_;  ///< flows
  std::size_t num_begun_ = 0;
  std::size_t num_ended_ = 0;
  double now_ = 0;
  std::vector<std::uint32_t> bottleneck_;  ///< by flow; kNone when it is not under way
  std::vector<double> end_;                ///< by flow; while it waits, its bytes
  std::vector<double> clock_;              ///< by link
  std::vector<double> next_;               ///< clock at which the first flow of a link ends
  std::vector<std::vector<End>> ends_;     ///< by link: a heap of the flows it holds back
  std::vector<std::uint32_t> ending_;
  FlowTimes times_;
};

ExactRun::ExactRun(const FlowSet& set)
    : set_{&set},
      filling_{set},
      levels_{set, *this},
      by_start_(num_flows(set)),
      bottleneck_(num_flows(set), WaterFilling::kNone),
      clock_(set.capacity.size(), 0.0),
      next_(set.capacity.size(), kInfinity),
      ends_(set.capacity.size()) {
  std::iota(by_start_.begin(), by_start_.end(), 0U);
  if (!set.start.empty())
    std::ranges::stable_sort(by_start_, {}, [&](auto f) { return set.start[f]; });
  for (const Bytes bytes : set.bytes) end_.push_back(bytes.base());
  times_.finish.resize(num_flows(set));
}

FlowTimes ExactRun::run() {
  times_.bound = link_load_bound(*set_);
  while (num_ended_ < num_flows(*set_)) {
    const double arrival = num_begun_ == by_start_.size() ? kInfinity
                           : set_->start.empty()          ? 0.0
                                                 : set_->start[by_start_[num_begun_]].base() - now_;
    const double end = next_end();
    SWITCHYARD_CHECK(std::min(arrival, end) < kInfinity, "{} flows do not end",
                     num_flows(*set_) - num_ended_);
    pass(std::min(arrival, end));
    ++times_.num_steps;
    end_flows(kTogether * now_);
    if (arrival <= end)
      begin_flows();
    else if (!levels_.settle())
      rebuild();
  }
  times_.makespan = Seconds{now_};
  return std::move(times_);
}

double ExactRun::next_end() const {
  double soonest = kInfinity;
  for (const std::uint32_t link : levels_.holding())
    soonest = std::min(soonest, (next_[link] - clock_[link]) / levels_.level(link));
  return std::max(soonest, 0.0);
}

void ExactRun::pass(double seconds) {
  now_ += seconds;
  for (const std::uint32_t link : levels_.holding()) clock_[link] += levels_.level(link) * seconds;
}

void ExactRun::begin_flows() {
  const Seconds date{now_};
  while (num_begun_ < by_start_.size() &&
         (set_->start.empty() || set_->start[by_start_[num_begun_]] <= date))
    filling_.activate(by_start_[num_begun_++]);
  rebuild();
}

/// If the rates found last let all flows end together, the time until then; else infinite.
double ExactRun::common_end() const {
  double first = kInfinity;
  double last = 0.0;
  for (std::size_t flow = 0; flow < num_flows(*set_); ++flow) {
    if (!filling_.is_active(flow)) continue;
    const double end = end_[flow] / filling_.level(filling_.bottleneck(flow));
    first = std::min(first, end);
    last = std::max(last, end);
  }
  return num_begun_ == by_start_.size() && last <= first * (1 + kTogether) ? last : kInfinity;
}

/// Finds all bottlenecks anew.
void ExactRun::rebuild() {
  for (std::size_t flow = 0; flow < num_flows(*set_); ++flow)
    if (bottleneck_[flow] != WaterFilling::kNone) end_[flow] -= clock_[bottleneck_[flow]];
  filling_.solve();
  if (const double together = common_end(); together < kInfinity) {
    now_ += together;
    for (std::size_t flow = 0; flow < num_flows(*set_); ++flow)
      if (filling_.is_active(flow)) times_.finish[flow] = Seconds{now_};
    num_ended_ = num_flows(*set_);
    return;
  }
  levels_.clear(filling_);
  for (auto& ends : ends_) ends.clear();
  std::ranges::fill(clock_, 0.0);
  for (std::uint32_t flow = 0; flow < num_flows(*set_); ++flow) {
    if (!filling_.is_active(flow)) continue;
    const std::uint32_t link = filling_.bottleneck(flow);
    bottleneck_[flow] = link;
    ends_[link].push_back({end_[flow], flow});
    levels_.add(flow, link);
  }
  for (std::uint32_t link = 0; link < ends_.size(); ++link) {
    std::ranges::make_heap(ends_[link], std::greater<>{});
    update_next(link);
  }
  SWITCHYARD_CHECK(levels_.settle(), "levels of {} flows do not settle", filling_.num_active());
}

void ExactRun::update_next(std::uint32_t link) {
  next_[link] = ends_[link].empty() ? kInfinity : ends_[link].front().clock;
}

void ExactRun::end_flows(double together) {
  ending_.clear();
  for (const std::uint32_t link : levels_.holding()) {
    const double slack = together * levels_.level(link) + kClockRounding * clock_[link];
    while (next_[link] - clock_[link] <= slack) {
      const std::uint32_t flow = ends_[link].front().flow;
      ending_.push_back(flow);
      times_.finish[flow] = Seconds{now_};
      filling_.deactivate(flow);
      std::ranges::pop_heap(ends_[link], std::greater<>{});
      ends_[link].pop_back();
      update_next(link);
    }
  }
  num_ended_ += ending_.size();
  for (const std::uint32_t flow : ending_) {
    levels_.remove(flow, bottleneck_[flow]);
    bottleneck_[flow] = WaterFilling::kNone;
  }
}

void ExactRun::find_users(std::uint32_t from, std::uint32_t link,
                          std::vector<std::uint32_t>& flows) {
  auto& ends = ends_[from];
  std::erase_if(ends, [&](const End& end) {
    const auto path = links_of(*set_, end.flow);
    if (std::ranges::find(path, LinkId{static_cast<std::int32_t>(link)}) == path.end())
      return false;
    flows.push_back(end.flow);
    return true;
  });
  std::ranges::make_heap(ends, std::greater<>{});
  update_next(from);
}

void ExactRun::moved(std::uint32_t flow, std::uint32_t from, std::uint32_t to) {
  end_[flow] += clock_[to] - clock_[from];
  bottleneck_[flow] = to;
  ends_[to].push_back({end_[flow], flow});
  std::ranges::push_heap(ends_[to], std::greater<>{});
  update_next(to);
}

}  // namespace

FlowTimes exact_times(const FlowSet& set) { return ExactRun{set}.run(); }

}  // namespace switchyard
