#pragma once

#include <functional>
#include <vector>

namespace switchyard {

/// A parameter of a search: where it starts and what it may be.
struct SearchRange {
  double start = 0;
  double lowest = 0;
  double highest = 0;
};

/// The parameters within their ranges at which `cost` is least, found by the deterministic Subplex
/// method from `ranges`' starts. A local minimum; stops after `max_evaluations` at the latest.
/// Source: Rowan, "Functional Stability Analysis of Numerical Algorithms", PhD thesis, 1990.
[[nodiscard]] std::vector<double> minimize(
    const std::function<double(const std::vector<double>&)>& cost,
    const std::vector<SearchRange>& ranges, int max_evaluations = 6000);

}  // namespace switchyard
