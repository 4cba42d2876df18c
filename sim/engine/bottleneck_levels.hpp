#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/flow_set.hpp"
#include "sim/engine/water_filling.hpp"

namespace switchyard {

/// The max-min fair level of every link, kept up to date while flows end; see exact_times().
///
/// Flows are known by their bottleneck. Links are kept in increasing order of level: the level of a
/// link depends on those before it alone.
class BottleneckLevels {
 public:
  /// Told when a flow gets another bottleneck.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// Names the flows with bottleneck `from` that cross `link`.
    virtual void find_users(std::uint32_t from, std::uint32_t link,
                            std::vector<std::uint32_t>& flows) = 0;
    virtual void moved(std::uint32_t flow, std::uint32_t from, std::uint32_t to) = 0;
  };

  BottleneckLevels(const FlowSet& set, Observer& observer);

  /// Forgets all flows and takes the levels of `filling`; then add() its active flows.
  void clear(const WaterFilling& filling);
  void add(std::uint32_t flow, std::uint32_t bottleneck);

  void remove(std::uint32_t flow, std::uint32_t bottleneck);

  /// Computes the levels after calls of add() and remove(). False when it does not settle soon:
  /// then bottlenecks must be found anew.
  [[nodiscard]] bool settle();

  [[nodiscard]] double level(std::uint32_t link) const { return level_[link]; }

  /// Links with flows they hold back, from the lowest level up; valid after settle().
  [[nodiscard]] std::span<const std::uint32_t> holding() const {
    return std::span{order_}.first(num_holding_);
  }

 private:
  /// Flows on a link that have a certain other bottleneck.
  struct Share {
    std::uint32_t bottleneck = 0;
    float flows = 0;  ///< a count, exact up to 2^24
  };

  void count(std::uint32_t flow, std::uint32_t bottleneck, float change);
  void place(std::uint32_t link, std::size_t position, double level);
  std::size_t take_over(std::uint32_t link, std::size_t position);

  const FlowSet* set_;
  Observer* observer_;
  std::vector<std::vector<Share>> shares_;  ///< by link
  std::vector<double> own_;                 ///< flows that the link holds back
  std::vector<double> level_;               ///< infinite when it holds none back
  std::vector<std::uint32_t> order_;        ///< links that have flows
  std::vector<std::size_t> position_;       ///< in order_, by link
  std::size_t num_holding_ = 0;
  std::size_t dirty_from_ = 0;
  std::vector<std::uint32_t> moving_;
  std::vector<Share> taken_;
};

}  // namespace switchyard
