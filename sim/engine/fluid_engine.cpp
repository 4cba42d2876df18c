#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "sim/engine/backends.hpp"
#include "sim/engine/fluid_network.hpp"
#include "sim/engine/graph_run.hpp"
#include "sim/engine/round_times.hpp"

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTogether = 1 + 1e-12;  // flows that end within this of a date end at it

class FluidSimulator final : public EventSimulator, EventHandler {
 public:
  explicit FluidSimulator(const Topology& topology)
      : topology_{&topology}, network_{capacities(topology)} {}

  [[nodiscard]] Seconds now() const override { return Seconds{now_}; }
  void after(Seconds delay, Notice notice) override { timers_.push(now_ + delay.base(), notice); }
  void send(const Flow& flow, Notice notice) override;
  void run() override;

  /// The latency of a message has passed.
  void happened(std::uint64_t event) override;

 private:
  /// A message whose latency has not passed yet.
  struct Approaching {
    std::vector<LinkId> path;
    double bytes = 0;
    Notice notice;
  };

  static std::vector<double> capacities(const Topology& topology);
  void start(double bytes, std::span<const LinkId> path, Notice notice);

  const Topology* topology_;
  FluidNetwork network_;
  double now_ = 0;
  EventQueue<Notice> timers_;
  std::vector<Notice> notices_;  ///< by number of the flow
  std::vector<Approaching> approaching_;
  std::vector<std::uint32_t> free_;  ///< elements of approaching_
  std::vector<LinkId> path_;
  std::vector<std::uint32_t> ended_;
  std::vector<Notice> due_;
};

std::vector<double> FluidSimulator::capacities(const Topology& topology) {
  std::vector<double> rates;
  for (const NetworkLink& link : topology.links) rates.push_back(link.bandwidth.base());
  return rates;
}

void FluidSimulator::send(const Flow& flow, Notice notice) {
  path_.clear();
  append_path(*topology_, flow.source, flow.destination, path_);
  Seconds latency;
  for (const LinkId link : path_) latency += topology_->links[link.index()].latency;
  if (latency == Seconds{}) {
    start(flow.bytes.base(), path_, notice);
    return;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(approaching_.size()));
    approaching_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  approaching_[slot].path.assign(path_.begin(), path_.end());
  approaching_[slot].bytes = flow.bytes.base();
  approaching_[slot].notice = notice;
  after(latency, {this, slot});
}

void FluidSimulator::happened(std::uint64_t event) {
  const Approaching& message = approaching_[event];
  start(message.bytes, message.path, message.notice);
  free_.push_back(static_cast<std::uint32_t>(event));
}

void FluidSimulator::start(double bytes, std::span<const LinkId> path, Notice notice) {
  const std::uint32_t flow = network_.add(now_, bytes, path);
  if (notices_.size() <= flow) notices_.resize(flow + 1);
  notices_[flow] = notice;
}

void FluidSimulator::run() {
  while (true) {
    network_.settle(now_);
    const double flow_date = network_.next_end();
    const double timer_date = timers_.empty() ? kInfinity : timers_.next_date();
    const double date = std::min(flow_date, timer_date);
    if (date == kInfinity) return;
    now_ = std::max(now_, date);
    if (flow_date <= now_ * kTogether) {
      ended_.clear();
      network_.take_ended(now_ * kTogether, ended_);
      due_.clear();  // the numbers may be used again while these are told
      for (const std::uint32_t flow : ended_) due_.push_back(notices_[flow]);
      for (const Notice notice : due_) notice.handler->happened(notice.event);
    }
    while (!timers_.empty() && timers_.next_date() <= now_) {
      due_.clear();
      timers_.pop(due_);
      for (const Notice notice : due_) notice.handler->happened(notice.event);
    }
  }
}

/// Remembers round_times() of the schedules of a graph.
class KnownTimes final : public AloneTimes {
 public:
  KnownTimes(const TaskGraph& graph, const Topology& topology)
      : graph_{&graph}, topology_{&topology}, may_serve_(graph.schedules.size()) {
    for (std::size_t k = 0; k < graph.schedules.size(); ++k) {
      const auto& rounds = graph.schedules[k].rounds;
      may_serve_[k] = rounds.size() == 1 && rounds.front().repeat == 1 &&
                      num_messages(rounds.front(), num_ranks(topology)) > 0;
    }
  }

  [[nodiscard]] bool may_serve(int schedule) const override {
    return may_serve_[static_cast<std::size_t>(schedule)];
  }

  [[nodiscard]] const std::vector<Seconds>& times(int schedule) override {
    const auto [known, is_new] = times_.try_emplace(schedule);
    if (is_new)
      known->second =
          round_times(graph_->schedules[static_cast<std::size_t>(schedule)].rounds.front(),
                      *topology_)
              .left;
    return known->second;
  }

  void forbid(int schedule) { may_serve_[static_cast<std::size_t>(schedule)] = false; }

 private:
  const TaskGraph* graph_;
  const Topology* topology_;
  std::vector<bool> may_serve_;  ///< by schedule
  std::map<int, std::vector<Seconds>> times_;
};

}  // namespace

std::vector<Span> fluid_spans(const TaskGraph& graph, const Topology& topology, ServeRounds serve) {
  KnownTimes known{graph, topology};
  while (true) {
    FluidSimulator simulator{topology};
    try {
      return run_graph(graph, num_ranks(topology), simulator,
                       serve == ServeRounds::kYes ? &known : nullptr);
    } catch (const ServedTooEarly& overlap) {
      known.forbid(overlap.schedule);
    }
  }
}

}  // namespace switchyard
