#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
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

/// How much slower an operator gets when the reference product takes longer: the exponent of its
/// time. 1 where both slow down alike; less for what waits for memory.
using Sensitivities = std::map<std::string, double>;

/// Times of the passes over one point.
struct Passes {
  std::string family{};  ///< operator and precision
  int ranks_at_work = 1;
  std::vector<Pass> passes{};

  /// Of the passes while the machine was quiet, where there are any. The others are taken as they
  /// would be at the speed of the fastest reference.
  template <class Point>
  void put_into(const References& references, const Sensitivities& sensitivities,
                Point& point) const {
    constexpr double kQuiet = 1.0 / 1.1;
    const auto speed_of = [&](const Pass& pass) {
      return pass.reference > 0 ? references.at(ranks_at_work).fastest / pass.reference : 1.0;
    };
    const bool has_quiet =
        std::ranges::any_of(passes, [&](const Pass& pass) { return speed_of(pass) >= kQuiet; });
    int used = 0;
    double logs = 0;
    double fastest = std::numeric_limits<double>::infinity();
    double slowest = 0;
    double p10 = fastest;
    double p90 = 0;
    const auto sensitivity = sensitivities.find(family);
    const double exponent = sensitivity == sensitivities.end() ? 1.0 : sensitivity->second;
    for (const Pass& pass : passes) {
      if (has_quiet && speed_of(pass) < kQuiet) continue;
      const double speed = std::pow(speed_of(pass), exponent);
      ++used;
      logs += std::log(speed * pass.median);
      fastest = std::min(fastest, speed * pass.median);
      slowest = std::max(slowest, speed * pass.median);
      p10 = std::min(p10, speed * pass.p10);
      p90 = std::max(p90, speed * pass.p90);
    }
    point.time = Seconds{std::exp(logs / used)};
    point.p10 = Seconds{p10};
    point.p90 = Seconds{p90};
    point.pass_ratio = slowest / fastest;
  }
};

}  // namespace switchyard
