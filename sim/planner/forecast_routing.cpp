#include "sim/planner/forecast_routing.hpp"

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"

namespace switchyard {
namespace {

/// One seed for each layer and sample, so that none shares its numbers.
std::uint64_t seed_of(const ForecastSpec& spec, std::size_t layer, int sample) {
  constexpr std::uint64_t kForecastStream = 0x666f726563617374;
  return stream_engine(spec.seed, {kForecastStream, layer, static_cast<std::uint64_t>(sample)})();
}

RoutingForecast percentiles_of(const std::vector<RoutingOutcome>& samples) {
  RoutingForecast forecast;
  std::vector<double> values;
  for (const RoutingOutcome& sample : samples) values.push_back(sample.load_max_over_mean);
  forecast.load_max_over_mean = percentiles(values);
  for (std::size_t c = 0; c < samples.front().dropped_fraction.size(); ++c) {
    values.clear();
    for (const RoutingOutcome& sample : samples) values.push_back(sample.dropped_fraction[c]);
    forecast.dropped_fraction.push_back(percentiles(values));
  }
  return forecast;
}

}  // namespace

std::vector<RoutingCounts> count_routing(const RoutingSpec& routing, RoutingShape shape,
                                         std::span<const std::int64_t> capacities,
                                         const RoutingStream& stream) {
  std::vector<RoutingCounts> layers(static_cast<std::size_t>(shape.num_layers));
  for (const std::int64_t capacity : capacities) {
    shape.capacity = capacity;
    const std::vector<RoutingDraw> draws = draw_routing(routing, shape, stream);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      layers[l].num_choices = draws[l].routed.sum();
      layers[l].largest_load = draws[l].routed.colwise().sum().maxCoeff();
      layers[l].num_dropped.push_back(layers[l].num_choices - draws[l].kept.sum());
    }
  }
  return layers;
}

RoutingOutcome outcome_of_steps(std::span<const RoutingCounts> steps, int num_experts) {
  SWITCHYARD_CHECK(!steps.empty(), "no steps");
  RoutingOutcome outcome;
  outcome.dropped_fraction.resize(steps.front().num_dropped.size());
  double num_choices = 0.0;
  for (const RoutingCounts& step : steps) {
    SWITCHYARD_CHECK(step.num_choices > 0, "a step without choices");
    const auto choices = static_cast<double>(step.num_choices);
    num_choices += choices;
    outcome.load_max_over_mean += static_cast<double>(step.largest_load) * num_experts / choices /
                                  static_cast<double>(steps.size());
    for (std::size_t c = 0; c < step.num_dropped.size(); ++c)
      outcome.dropped_fraction[c] += static_cast<double>(step.num_dropped[c]);
  }
  for (double& dropped : outcome.dropped_fraction) dropped /= num_choices;
  return outcome;
}

RoutingOutcome mean_outcome(std::span<const RoutingOutcome> outcomes) {
  SWITCHYARD_CHECK(!outcomes.empty(), "no outcomes");
  const auto count = static_cast<double>(outcomes.size());
  RoutingOutcome mean;
  mean.dropped_fraction.resize(outcomes.front().dropped_fraction.size());
  for (const RoutingOutcome& outcome : outcomes) {
    mean.load_max_over_mean += outcome.load_max_over_mean / count;
    for (std::size_t c = 0; c < mean.dropped_fraction.size(); ++c)
      mean.dropped_fraction[c] += outcome.dropped_fraction[c] / count;
  }
  return mean;
}

std::vector<RoutingForecast> forecast_routing(const ForecastSpec& spec) {
  SWITCHYARD_CHECK(!spec.layers.empty() && spec.steps >= 1 && spec.samples >= 1,
                   "{} layers, {} steps, {} samples", spec.layers.size(), spec.steps, spec.samples);
  RoutingShape shape = spec.shape;
  shape.num_layers = 1;
  std::vector<RoutingForecast> forecasts;
  std::vector<std::vector<RoutingOutcome>> by_sample(static_cast<std::size_t>(spec.samples));
  for (std::size_t l = 0; l < spec.layers.size(); ++l) {
    std::vector<RoutingOutcome> samples;
    for (int i = 0; i < spec.samples; ++i) {
      const std::uint64_t seed = seed_of(spec, l, i);
      std::vector<RoutingCounts> steps;
      for (int step = 0; step < spec.steps; ++step)
        steps.push_back(count_routing(spec.layers[l], shape, spec.capacities,
                                      {.seed = seed, .draw = static_cast<std::uint64_t>(step)})
                            .front());
      samples.push_back(outcome_of_steps(steps, shape.num_experts));
      by_sample[static_cast<std::size_t>(i)].push_back(samples.back());
    }
    forecasts.push_back(percentiles_of(samples));
  }
  std::vector<RoutingOutcome> of_all;
  for (const auto& layers : by_sample) of_all.push_back(mean_outcome(layers));
  forecasts.push_back(percentiles_of(of_all));
  return forecasts;
}

}  // namespace switchyard
