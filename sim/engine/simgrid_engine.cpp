#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/routing/NetPoint.hpp>
#include <simgrid/kernel/routing/NetZoneImpl.hpp>
#include <simgrid/s4u.hpp>

#include "sim/core/error.hpp"
#include "sim/engine/backends.hpp"
#include "sim/engine/forked_call.hpp"
#include "sim/engine/graph_run.hpp"

namespace sg4 = simgrid::s4u;

namespace switchyard {
namespace {

/// A zone whose paths are ours: SimGrid's own torus and fat tree balance ties differently.
class PathZone : public simgrid::kernel::routing::NetZoneImpl {
 public:
  PathZone(const Topology& topology, const std::vector<sg4::Link*>& links)
      : NetZoneImpl{"fabric"}, topology_{&topology}, links_{&links} {}

 protected:
  // The latency stays 0 on purpose: see SimGridSimulator::send().
  void get_local_route(const simgrid::kernel::routing::NetPoint* source,
                       const simgrid::kernel::routing::NetPoint* destination,
                       simgrid::kernel::routing::Route* into, double* /*latency*/) override {
    const RankId from{static_cast<std::int32_t>(source->id())};
    const RankId to{static_cast<std::int32_t>(destination->id())};
    for (const LinkId link : path(*topology_, from, to))
      into->link_list_.push_back((*links_)[link.index()]->get_impl());
  }

 private:
  const Topology* topology_;
  const std::vector<sg4::Link*>* links_;
};

/// SimGrid counts bytes in integers. A power of two, so that it rounds nothing else, makes its byte
/// so small that the largest flow has 62 bits.
int payload_exponent(const TaskGraph& graph) {
  Bytes largest{1};
  for (const CollectiveSchedule& schedule : graph.schedules)
    for (const Round& round : schedule.rounds) {
      for (const Flow& flow : round.flows) largest = std::max(largest, flow.bytes);
      if (round.all_pairs) largest = std::max(largest, round.all_pairs->bytes);
    }
  return 62 - (std::ilogb(largest.base()) + 1);
}

/// One per process: SimGrid's engine, its clock and its settings are global.
class SimGridSimulator final : public EventSimulator {
 public:
  SimGridSimulator(const Topology& topology, int payload_exponent);

  [[nodiscard]] Seconds now() const override { return Seconds{sg4::Engine::get_clock()}; }
  void after(Seconds delay, Notice notice) override;
  void send(const Flow& flow, Notice notice) override;
  void run() override { engine_.run(); }

 private:
  using Callback = std::function<void()>;

  /// A flow under way; SimGrid carries a pointer to it.
  struct ActiveFlow {
    sg4::CommPtr comm;
    Notice notice;
  };

  static sg4::Engine make_engine();
  void build_platform();
  void call_after(Seconds delay, Callback callback);
  void start_flow(const Flow& flow, Notice notice);
  void complete(const sg4::Activity& activity);

  sg4::Engine engine_;
  const Topology* topology_;
  int payload_exponent_;
  std::vector<sg4::Host*> hosts_;                ///< by rank
  std::vector<sg4::Link*> links_;                ///< by LinkId
  std::map<double, std::vector<Callback>> due_;  ///< by date; one SimGrid timer for each date
  std::deque<ActiveFlow> flows_;                 ///< does not move its elements
  std::vector<ActiveFlow*> free_flows_;          ///< elements of flows_ to use again
  std::vector<sg4::CommPtr> completed_;  ///< dropped when time goes on, not within a callback
};

sg4::Engine SimGridSimulator::make_engine() {
  int argc = 2;
  std::string name = "switchyard";
  std::string quiet = "--log=root.thresh:critical";
  std::vector<char*> argv{name.data(), quiet.data(), nullptr};
  return sg4::Engine{&argc, argv.data()};
}

SimGridSimulator::SimGridSimulator(const Topology& topology, int payload_exponent)
    : engine_{make_engine()}, topology_{&topology}, payload_exponent_{payload_exponent} {
  // SimGrid's default model (LV08) is calibrated on TCP over Ethernet: it multiplies latency by 13
  // and takes 3 % off the bandwidth. CM02 without these effects is plain max-min sharing. Events
  // closer than the precision (default 1 ns) are joined.
  sg4::Engine::set_config("network/model:CM02");  // only after the Engine exists
  sg4::Engine::set_config("network/TCP-gamma:0");
  sg4::Engine::set_config("network/crosstraffic:0");
  sg4::Engine::set_config("surf/precision:1e-12");
  sg4::Engine::set_config("maxmin/precision:1e-9");
  // The flows of an all-to-all are one component: updating all of them costs half of what SimGrid's
  // lazy default pays to find out which ones changed.
  sg4::Engine::set_config("network/optim:Full");
  build_platform();
  sg4::Activity::on_completion_cb([this](const sg4::Activity& activity) { complete(activity); });
  sg4::Engine::on_time_advance_cb([this](double) { completed_.clear(); });
}

void SimGridSimulator::build_platform() {
  auto* fabric = new PathZone(*topology_, links_);  // owned by the engine
  sg4::NetZone* zone = fabric->get_iface();
  constexpr double kUnusedSpeed = 1.0;  // compute tasks are timers
  for (int rank = 0; rank < num_ranks(*topology_); ++rank) {
    hosts_.push_back(zone->create_host(fmt::format("rank{}", rank), kUnusedSpeed)->seal());
    SWITCHYARD_CHECK(hosts_.back()->get_netpoint()->id() == static_cast<unsigned long>(rank),
                     "rank {} has netpoint {}", rank, hosts_.back()->get_netpoint()->id());
  }
  for (const NetworkLink& link : topology_->links)
    links_.push_back(zone->create_link(fmt::format("link{}", link.id.value()),
                                       std::ldexp(link.bandwidth.base(), payload_exponent_))
                         ->seal());
  zone->seal();
}

void SimGridSimulator::after(Seconds delay, Notice notice) {
  call_after(delay, [notice] { notice.handler->happened(notice.event); });
}

void SimGridSimulator::call_after(Seconds delay, Callback callback) {
  const double date = (now() + delay).base();
  std::vector<Callback>& due = due_[date];
  due.push_back(std::move(callback));
  if (due.size() > 1) return;
  simgrid::kernel::timer::Timer::set(date, [this, date] {
    const auto node = due_.extract(date);
    for (const Callback& due_now : node.mapped()) due_now();
  });
}

void SimGridSimulator::send(const Flow& flow, Notice notice) {
  // Even in CM02 a flow's share of a link is weighted by the inverse of its latency. Links without
  // latency, and the latency as a delay before the flow starts, give the same timing without that.
  const Seconds latency = path_latency(*topology_, flow.source, flow.destination);
  if (latency == Seconds{0})
    start_flow(flow, notice);
  else
    call_after(latency, [this, flow, notice] { start_flow(flow, notice); });
}

void SimGridSimulator::start_flow(const Flow& flow, Notice notice) {
  if (free_flows_.empty()) {
    flows_.emplace_back();
    free_flows_.push_back(&flows_.back());
  }
  ActiveFlow* const active = free_flows_.back();
  free_flows_.pop_back();

  auto comm = sg4::Comm::sendto_init(hosts_[flow.source.index()], hosts_[flow.destination.index()]);
  // The size comes after both ends are known: otherwise setting an end starts the comm.
  comm->set_payload_size(
      static_cast<std::uint64_t>(std::llround(std::ldexp(flow.bytes.base(), payload_exponent_))));
  comm->set_data(active);
  *active = {.comm = comm, .notice = notice};
  comm->vetoable_start();
}

void SimGridSimulator::complete(const sg4::Activity& activity) {
  const auto* comm = dynamic_cast<const sg4::Comm*>(&activity);
  SWITCHYARD_CHECK(comm != nullptr, "activity {} is no comm", activity.get_name());
  auto* const active = comm->get_data<ActiveFlow>();
  ActiveFlow finished = std::exchange(*active, {});
  free_flows_.push_back(active);
  completed_.push_back(std::move(finished.comm));
  finished.notice.handler->happened(finished.notice.event);
}

}  // namespace

std::vector<Span> simgrid_spans(const TaskGraph& graph, const Topology& topology) {
  const int ranks = num_ranks(topology);
  const std::vector<double> dates = call_in_child("simgrid", [&] {
    SimGridSimulator simulator{topology, payload_exponent(graph)};
    std::vector<double> starts_and_ends;
    for (const Span& span : run_graph(graph, ranks, simulator)) {
      starts_and_ends.push_back(span.start.base());
      starts_and_ends.push_back(span.end.base());
    }
    return starts_and_ends;
  });
  const std::size_t num_spans = graph.tasks.size() * static_cast<std::size_t>(ranks);
  SWITCHYARD_CHECK(dates.size() == 2 * num_spans, "{} dates for {} spans", dates.size(), num_spans);
  std::vector<Span> spans(num_spans);
  for (std::size_t k = 0; k < num_spans; ++k)
    spans[k] = {.task = TaskId{static_cast<std::int32_t>(k / topology.ranks.size())},
                .rank = RankId{static_cast<std::int32_t>(k % topology.ranks.size())},
                .start = Seconds{dates[2 * k]},
                .end = Seconds{dates[2 * k + 1]}};
  return spans;
}

}  // namespace switchyard
