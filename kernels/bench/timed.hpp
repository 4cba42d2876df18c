#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace switchyard::kernels {

/// What repeated runs of one thing took, seconds.
struct Timing {
  double median = 0.0;
  double p10 = 0.0;
  double p90 = 0.0;
};

/// Order statistics, the lower neighbour where a share falls between two. Precondition: not empty.
[[nodiscard]] inline Timing timing_of(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  const auto last = static_cast<double>(seconds.size() - 1);
  const auto at = [&](double share) { return seconds[static_cast<std::size_t>(share * last)]; };
  return {.median = at(0.5), .p10 = at(0.1), .p90 = at(0.9)};
}

/// Seconds that body() takes.
template <class Body>
[[nodiscard]] double seconds_of(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace switchyard::kernels
