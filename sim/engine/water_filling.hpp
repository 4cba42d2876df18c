#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "sim/engine/flow_set.hpp"

namespace switchyard {

/// Max-min fair rates of the flows of a set, by filling all links at once: the link that saturates
/// first fixes the rates of its flows, then the next.
///
/// Cost of solve(): O(links on paths of the active flows + changes of a link's share * log links).
/// While few shares are distinct, as in uniform traffic, no index from links to flows is built.
class WaterFilling {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  /// `set` must outlive this. No flow is active at first.
  explicit WaterFilling(const FlowSet& set);

  void activate(std::size_t flow);
  void deactivate(std::size_t flow);
  [[nodiscard]] bool is_active(std::size_t flow) const { return is_active_[flow] != 0; }
  [[nodiscard]] std::size_t num_active() const { return num_active_; }

  /// Rates without limits of the flows themselves.
  void solve() { solve({}); }

  /// @param limits  by flow: the most it can use (B/s). Empty: no limits.
  void solve(std::span<const double> limits);

  /// The link that holds an active flow back; kNone when it is at its limit.
  [[nodiscard]] std::uint32_t bottleneck(std::size_t flow) const { return bottleneck_[flow]; }

  /// What a link gives to each of the flows it holds back (B/s); infinite when it holds none.
  [[nodiscard]] double level(std::size_t link) const { return level_[link]; }

  /// The links that hold flows back, in the order in which they saturate: a flow's bottleneck is
  /// the first of them on its path.
  [[nodiscard]] std::span<const std::uint32_t> saturated() const { return saturated_; }

 private:
  using Share =
      std::pair<double, std::uint32_t>;  ///< B/s for each flow not fixed yet, and the link

  bool fix_lowest_links();
  void fill_by_heap(std::span<const double> limits);
  void fix(std::size_t flow, std::uint32_t bottleneck, double rate);
  void build_index();

  const FlowSet* set_;
  std::vector<char> is_active_;
  std::size_t num_active_ = 0;
  std::vector<double> count_;  ///< active flows by link

  std::vector<std::uint32_t> bottleneck_;
  std::vector<double> level_;
  std::vector<std::uint32_t> saturated_;
  std::vector<char> is_fixed_;
  std::size_t num_fixed_ = 0;
  std::vector<double> rest_;   ///< capacity that fixed flows leave, by link
  std::vector<double> users_;  ///< active flows not fixed yet, by link

  std::vector<std::uint32_t> first_user_;  ///< index from links to flows; empty until needed
  std::vector<std::uint32_t> user_;
  std::vector<std::uint32_t> end_user_;  ///< by link; users that ended are dropped
  std::vector<Share> shares_;
};

}  // namespace switchyard
