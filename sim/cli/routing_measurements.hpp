#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/planner/fit_popularity.hpp"
#include "sim/planner/fit_routing.hpp"

namespace switchyard {

/// A table of how often choices repeat, and where it comes from.
struct LocalityTable {
  std::vector<std::string> comments;
  std::vector<LocalityMeasurement> rows;
};

/// Reads columns dataset, layer, first_choice_percent and first_or_second_percent.
/// @throws ConfigError with every problem, each by file and line.
[[nodiscard]] LocalityTable read_locality(const std::filesystem::path& file);

/// Published violation of balance of one router.
struct PublishedViolation {
  std::string model;
  std::string balancing;
  BalanceViolation violation;
};

/// Published loads of one router: their extremes, where most lie, and what a cache of experts hit.
struct PublishedLoads {
  std::string model;
  std::string balancing;
  LoadRange range;
  double typical_low = 0;
  double typical_high = 0;
  double lru_hit_low = 0;
  double lru_hit_high = 0;
};

struct LoadTable {
  PublishedLoads loads;
  std::vector<PublishedViolation> violations;
};

/// Reads columns model, balancing, num_experts, top_k, num_groups, quantity and value.
/// @throws ConfigError with every problem, each by file and line; when a quantity is missing.
[[nodiscard]] LoadTable read_loads(const std::filesystem::path& file);

}  // namespace switchyard
