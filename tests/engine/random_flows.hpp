#pragma once

#include <cmath>
#include <vector>

#include "sim/core/random.hpp"
#include "topologies/flow.hpp"
#include "topologies/torus.hpp"

namespace switchyard::testing {

/// A torus with one core per chip and links of 100 GB/s.
inline TorusSpec plain_torus(int width, int height, Seconds latency = {},
                             TieBreak tie = TieBreak::kSplit) {
  const auto along = [&](int length) {
    return TorusDimension{.length = length,
                          .link = {.bandwidth = BytesPerSecond{1e11}, .latency = latency}};
  };
  return {.dimensions = {along(width), along(height)}, .tie = tie};
}

/// A number between 0 and 1 from the bits of `random`.
inline double uniform(std::mt19937_64& random) {
  return (static_cast<double>(random() >> 11U) + 0.5) * 0x1p-53;
}

/// All pairs, each with an independent log-normal size of median 1 MB.
inline std::vector<Flow> lognormal_all_to_all(int ranks, double sigma, std::uint64_t seed) {
  auto random = stream_engine(seed, {1});
  std::vector<Flow> flows;
  for (int source = 0; source < ranks; ++source)
    for (int destination = 0; destination < ranks; ++destination) {
      if (source == destination) continue;
      const double radius = std::sqrt(-2 * std::log(uniform(random)));
      const double normal = radius * std::cos(2 * M_PI * uniform(random));  // Box and Muller
      flows.push_back({RankId{source}, RankId{destination}, Bytes{1e6 * std::exp(sigma * normal)}});
    }
  return flows;
}

}  // namespace switchyard::testing
