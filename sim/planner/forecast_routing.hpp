#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/core/percentiles.hpp"
#include "sim/workload/routing/routing_draw.hpp"

namespace switchyard {

/// What the routing of one layer did in one step.
struct RoutingCounts {
  std::int64_t num_choices = 0;           ///< dropped ones too
  std::int64_t largest_load = 0;          ///< choices of the busiest expert, dropped ones too
  std::vector<std::int64_t> num_dropped;  ///< by capacity
  friend bool operator==(const RoutingCounts&, const RoutingCounts&) = default;
};

/// Draws one step and gives out slots at each capacity in turn. Returns one element a layer.
/// @param shape  its own capacity is not used
[[nodiscard]] std::vector<RoutingCounts> count_routing(const RoutingSpec& routing,
                                                       RoutingShape shape,
                                                       std::span<const std::int64_t> capacities,
                                                       const RoutingStream& stream);

/// Means over steps, or over layers.
struct RoutingOutcome {
  double load_max_over_mean = 0;
  std::vector<double> dropped_fraction;  ///< by capacity
};

/// Of one layer: drops over the choices of all steps, imbalance of each step averaged.
/// Precondition: at least one step with choices (checked).
[[nodiscard]] RoutingOutcome outcome_of_steps(std::span<const RoutingCounts> steps,
                                              int num_experts);

/// Number by number. Precondition: at least one (checked).
[[nodiscard]] RoutingOutcome mean_outcome(std::span<const RoutingOutcome> outcomes);

/// What may come of a router in some steps.
struct RoutingForecast {
  Percentiles load_max_over_mean;
  std::vector<Percentiles> dropped_fraction;  ///< by capacity
};

/// What is forecast.
struct ForecastSpec {
  std::vector<RoutingSpec> layers;  ///< each drawn as the only layer of a stack
  RoutingShape shape;               ///< num_layers and capacity are not used
  std::vector<std::int64_t> capacities;
  int steps = 1;      ///< that follow one another; a sample is their mean
  int samples = 200;  ///< each with routers of its own
  std::uint64_t seed = 0;
};

/// A forecast for each layer, then one for the mean over layers.
[[nodiscard]] std::vector<RoutingForecast> forecast_routing(const ForecastSpec& spec);

}  // namespace switchyard
