#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/workload/routing/routing_study.hpp"

namespace switchyard {

/// The routing of one stack of one case, over all draws.
struct RoutingStudy {
  std::string case_name;
  std::string stack;  ///< "encoder" or "decoder"
  RoutingStudySpec spec;
  nlohmann::ordered_json input;  ///< the case's routing, resolved
  std::vector<RoutingDrawSample> draws;
  /// Closed form at spec.capacity_factors, where tokens choose independently.
  std::vector<double> expected_at_capacity_factor;
  std::optional<double> expected_dropped_fraction;
  LocalityStudy locality;
};

/// All that `switchyard show routing` says.
struct RoutingReport {
  std::string experiment;
  std::uint64_t seed = 0;
  std::vector<RoutingStudy> studies;
};

/// For a terminal: a table of the cases, then for each of the first `max_details` studies load,
/// drops by capacity factor and by number of experts, cache hits and reuse.
[[nodiscard]] std::string format_table(const RoutingReport& report, std::size_t max_details);

/// One line for each number: case, stack, what, at (rank of the expert by load, capacity factor,
/// number of experts, MoE layer, cached experts, distance), p5, p50, p95, expected (closed form,
/// may be empty). Reads as a table of curves.
[[nodiscard]] std::string to_csv(const RoutingReport& report);

[[nodiscard]] nlohmann::ordered_json to_json(const RoutingReport& report);

}  // namespace switchyard
