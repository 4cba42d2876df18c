#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "sim/core/units.hpp"

namespace switchyard {

/// Times of one pass over a point, in seconds.
struct Pass {
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  double reference = 0;  ///< of a reference product beside it; 0: none
};

/// Fastest and slowest reference product with as many ranks at work.
struct ReferenceTimes {
  double fastest = 0;
  double slowest = 0;
};
using References = std::map<int, ReferenceTimes>;

/// Times of the passes over one point.
struct Passes {
  int ranks_at_work = 1;
  std::vector<Pass> passes{};

  /// At the speed of the fastest reference: products and what moves data slow down alike when other
  /// programs or the clocks take a share of the machine.
  template <class Point>
  void put_into(const References& references, Point& point) const {
    double logs = 0;
    double fastest = std::numeric_limits<double>::infinity();
    double slowest = 0;
    double p10 = fastest;
    double p90 = 0;
    for (const Pass& pass : passes) {
      const double speed =
          pass.reference > 0 ? references.at(ranks_at_work).fastest / pass.reference : 1.0;
      logs += std::log(speed * pass.median);
      fastest = std::min(fastest, speed * pass.median);
      slowest = std::max(slowest, speed * pass.median);
      p10 = std::min(p10, speed * pass.p10);
      p90 = std::max(p90, speed * pass.p90);
    }
    point.time = Seconds{std::exp(logs / static_cast<double>(passes.size()))};
    point.p10 = Seconds{p10};
    point.p90 = Seconds{p90};
    point.pass_ratio = slowest / fastest;
  }
};

}  // namespace switchyard
