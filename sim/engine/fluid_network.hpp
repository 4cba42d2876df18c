#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/core/ids.hpp"
#include "sim/engine/event_queue.hpp"

namespace switchyard {

/// Flows that share links max-min fairly while others come and go.
///
/// Rates are found anew, by filling as in WaterFilling, for those flows alone that are joined to a
/// change by links which may bind: a link does not join flows when it can carry them all at the
/// rates that their other links allow. A flow alone on its links costs no search at all.
/// A change of rate moves the date of the flow's end in a queue; old entries are dropped when met.
///
/// Cost of a change: O(links on paths of the joined flows + their new dates * log(dates)).
class FluidNetwork {
 public:
  /// @param capacity  of each link, B/s.
  explicit FluidNetwork(std::vector<double> capacity);

  /// Begins a flow at date `now`; returns its number, to be used again after its end.
  /// Precondition: the path is not empty.
  std::uint32_t add(double now, double bytes, std::span<const LinkId> path);

  /// Brings rates up to date after add() and take_ended().
  void settle(double now);

  /// The date at which the next flow ends; infinite when none is under way. Call settle() before.
  [[nodiscard]] double next_end();

  /// Takes out the flows that end no later than `date`, in the order in which they began.
  void take_ended(double date, std::vector<std::uint32_t>& ended);

 private:
  struct Hop {
    std::uint32_t link = 0;
    std::uint32_t place = 0;  ///< of the flow among the link's users
  };
  struct User {
    std::uint32_t flow = 0;
    std::uint32_t hop = 0;
  };
  struct ActiveFlow {
    std::vector<Hop> hops;
    double left = 0;  ///< bytes at date `since`
    double since = 0;
    double rate = 0;     ///< from then on
    double slowest = 0;  ///< capacity of the slowest link on its path
    std::uint64_t order = 0;
    std::uint32_t version = 0;  ///< of its date; entries with another one are old
    std::uint32_t mark = 0;
    bool is_fixed = false;
  };
  struct LinkState {
    double capacity = 0;
    std::vector<User> users;
    int slowest_of = 0;  ///< users whose path has no slower link
    double wanted = 0;   ///< sum of the others' slowest
    std::uint32_t mark = 0;
    double rest = 0;   ///< while filling
    int num_free = 0;  ///< users not fixed yet
  };
  struct End {
    std::uint32_t flow = 0;
    std::uint32_t version = 0;
  };

  /// Whether the users of a link may have to share it: no flow alone is held back by others.
  [[nodiscard]] static bool may_bind(const LinkState& link) {
    return link.slowest_of > 0 ? link.users.size() > 1 : link.wanted > link.capacity;
  }
  void touch(std::uint32_t link);
  void remove(std::uint32_t flow);
  void set_rate(double now, std::uint32_t flow, double rate);
  void find_joined();
  void fill(double now);

  std::vector<LinkState> links_;
  std::vector<ActiveFlow> flows_;
  std::vector<std::uint32_t> free_;
  std::size_t num_active_ = 0;
  std::uint64_t order_ = 0;
  EventQueue<End> ends_;

  std::vector<std::uint32_t> touched_;
  std::uint32_t mark_ = 1;
  std::vector<std::uint32_t> joined_links_;
  std::vector<std::uint32_t> joined_flows_;
  std::vector<std::pair<double, std::uint32_t>> shares_;
  std::vector<End> popped_;
};

}  // namespace switchyard
