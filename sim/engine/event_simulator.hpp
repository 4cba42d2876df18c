#pragma once

#include <cstdint>

#include "sim/core/units.hpp"
#include "topologies/flow.hpp"

namespace switchyard {

/// Is told when something that it asked for has happened.
class EventHandler {
 public:
  EventHandler() = default;
  EventHandler(const EventHandler&) = delete;
  EventHandler& operator=(const EventHandler&) = delete;

  /// @param event  the number that it gave.
  virtual void happened(std::uint64_t event) = 0;

 protected:
  ~EventHandler() = default;
};

/// Whom to tell, and what.
struct Notice {
  EventHandler* handler = nullptr;
  std::uint64_t event = 0;
};

/// Simulated time, and a network to send through: what run_graph() asks of an event engine.
/// Notices are given once, from within run(), never from within after() or send().
class EventSimulator {
 public:
  EventSimulator() = default;
  EventSimulator(const EventSimulator&) = delete;
  EventSimulator& operator=(const EventSimulator&) = delete;
  virtual ~EventSimulator() = default;

  [[nodiscard]] virtual Seconds now() const = 0;

  /// Gives `notice` when `delay` has passed. Equal dates: in the order of the calls.
  virtual void after(Seconds delay, Notice notice) = 0;

  /// Gives `notice` when the last byte of `flow` has arrived: path latency, then its share of the
  /// links of its path. Precondition: crosses_network(flow).
  virtual void send(const Flow& flow, Notice notice) = 0;

  /// Lets time pass until nothing is left to happen.
  virtual void run() = 0;
};

}  // namespace switchyard
