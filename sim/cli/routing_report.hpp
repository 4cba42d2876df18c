#pragma once

#include <string>
#include <vector>

#include "sim/cli/routing_measurements.hpp"

namespace switchyard {

/// The sigma of log-normal popularity that a published load implies.
struct SigmaEstimate {
  std::string model;
  std::string balancing;
  std::string from;  ///< what was published
  double sigma = 0;
};

/// How often an LRU cache of experts is hit in a fitted layer and on average.
struct CacheEstimate {
  int cached_experts = 0;
  std::vector<double> hit_rates;  ///< by layer of the model
};

/// Everything that `fit routing` found.
struct RoutingCalibration {
  LocalityFit locality;
  PublishedLoads loads;
  std::vector<SigmaEstimate> sigmas;
  std::vector<CacheEstimate> caches;
};

/// Fits all. Mixtral's own sigma is that of the chains.
[[nodiscard]] RoutingCalibration calibrate_routing(const LocalityTable& locality,
                                                   const LoadTable& loads);

/// For a terminal.
[[nodiscard]] std::string calibration_tables(const RoutingCalibration& calibration);

}  // namespace switchyard
