#pragma once

#include <functional>

#include "sim/core/units.hpp"
#include "topologies/flow.hpp"

namespace switchyard {

/// Simulated time, and a network to send through: what run_graph() asks of an event engine.
/// `done` is called once, from within run(), never from within after() or send().
class EventSimulator {
 public:
  using Done = std::function<void()>;

  EventSimulator() = default;
  EventSimulator(const EventSimulator&) = delete;
  EventSimulator& operator=(const EventSimulator&) = delete;
  virtual ~EventSimulator() = default;

  [[nodiscard]] virtual Seconds now() const = 0;

  /// Calls `done` when `delay` has passed. Equal dates: in the order of the calls.
  virtual void after(Seconds delay, Done done) = 0;

  /// Calls `done` when the last byte of `flow` has arrived: path latency, then its share of the
  /// links of its path. Precondition: crosses_network(flow).
  virtual void send(const Flow& flow, Done done) = 0;

  /// Lets time pass until nothing is left to happen.
  virtual void run() = 0;
};

}  // namespace switchyard
