#include "sim/cli/compare_training.hpp"

#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/kernel_words.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

TracedSteps step_numbers(const kernels::TrainSpec& spec, const Recorded& recorded) {
  const auto number = [&](std::size_t i) { return static_cast<int>(i) * spec.trace_every; };
  return {.first = number(recorded.begin),
          .last = number(recorded.end - 1),
          .count = static_cast<int>(recorded.size())};
}

/// Counted over all steps; half a choice more for each expert, so that none is impossible.
std::vector<double> counted_popularity(const SampledLoads& first_choices) {
  std::vector<double> weights(first_choices.steps.front().size(), 0.5);
  for (const auto& step : first_choices.steps)
    for (std::size_t e = 0; e < weights.size(); ++e) weights[e] += static_cast<double>(step[e]);
  return weights;
}

}  // namespace

void check_comparable(const kernels::TrainSpec& spec, const std::string& file) {
  std::vector<std::string> found;
  const std::int64_t group_tokens = spec.layer.capacity.group_tokens;
  if (spec.transport == kernels::Transport::kMpi || spec.transport == kernels::Transport::kNccl)
    found.emplace_back(
        "transport: expected none or loopback: ranks of execute are threads of one process");
  if (spec.trace_every == 0)
    found.emplace_back("trace_every: expected at least 1, got 0: there would be no trace");
  else if (recorded_quarters(spec, 2, 1).size() < 2 || recorded_quarters(spec, 3, 1).size() < 1)
    found.push_back(fmt::format(
        "trace_every: expected at least two recorded steps in the third quarter of the {} steps "
        "and one in the fourth, got every {}th",
        spec.steps, spec.trace_every));
  if (group_tokens > 0 && group_tokens < spec.tokens_per_rank &&
      spec.tokens_per_rank % group_tokens != 0)
    found.push_back(fmt::format(
        "group_tokens: expected a divisor of tokens_per_rank, {}, got {}: groups of the simulator "
        "are equal",
        spec.tokens_per_rank, group_tokens));
  if (spec.tokens_per_rank * spec.partition.data < 2)
    found.emplace_back("tokens_per_rank: expected at least two tokens in a step");
  if (!found.empty())
    throw ConfigError(fmt::format("{}: {}", file, fmt::join(found, "\n" + file + ": ")));
}

TrainingComparison compare_training(const kernels::TrainResult& result, int samples) {
  const kernels::TrainSpec& spec = result.spec;
  const int num_experts = spec.layer.num_experts;
  // By way of the file, so that what is compared is what `routing: {kind: trace}` would read.
  const auto trace = std::make_shared<const RoutingTrace>(
      parse_routing_trace(kernels::npy_file(result.trace), "trace.npy", num_experts));
  const Recorded half = recorded_quarters(spec, 2, 2);
  const Recorded third = recorded_quarters(spec, 2, 1);
  const Recorded fourth = recorded_quarters(spec, 3, 1);
  const std::int64_t step_tokens = spec.tokens_per_rank * spec.partition.data;

  TrainingComparison comparison;
  comparison.limits = slot_limits(spec);
  comparison.second_half = step_numbers(spec, half);
  comparison.third_quarter = step_numbers(spec, third);
  comparison.fourth_quarter = step_numbers(spec, fourth);
  comparison.samples = samples;
  const StepCounts measured = measured_counts(result);
  const StepCounts replayed = replayed_counts(spec, trace, comparison.limits);
  comparison.measured = outcomes_by_layer(measured, half, num_experts);
  comparison.replayed = outcomes_by_layer(replayed, half, num_experts);
  comparison.observed = outcomes_by_layer(replayed, fourth, num_experts);
  comparison.num_compared = static_cast<int>(measured.size()) * spec.layers;
  comparison.num_different = count_differences(measured, replayed);

  const RoutingSpec model{
      .router = FixedRouter{},
      .gate = {.top_k = spec.layer.router.top_k,
               .second_choice = second_choice_of(spec.layer.router.second_choice),
               .second_threshold = spec.layer.router.second_threshold,
               .renormalized = spec.layer.router.renormalized},
      .slots = {.priority = priority_of(spec.layer.capacity.priority)}};
  const bool uses_all = spec.layer.router.second_choice == kernels::SecondChoice::kAlways;
  const std::vector<SampledLoads> loads =
      recorded_loads(*trace, step_tokens, third, uses_all ? spec.layer.router.top_k : 1);
  const std::vector<SampledLoads> first_choices = recorded_loads(*trace, step_tokens, third, 1);
  const double correlation = neighbour_correlation(loads);
  if (correlation > 0.0) comparison.drift_steps = -spec.trace_every / std::log(correlation);
  std::vector<RoutingSpec> learned;
  std::vector<RoutingSpec> given;
  for (std::size_t l = 0; l < loads.size(); ++l) {
    comparison.sigmas.push_back(fit_sigma_to_loads(loads[l]));
    learned.push_back(model);
    learned.back().router =
        LearnedRouter{.lognormal_sigma = comparison.sigmas.back(),
                      .drift_steps = comparison.drift_steps,
                      .steps_between_draws = static_cast<double>(spec.trace_every)};
    given.push_back(model);
    given.back().router = FixedRouter{GivenPopularity{counted_popularity(first_choices[l])}};
  }
  ForecastSpec forecast{.layers = {},
                        .shape = training_shape(spec),
                        .capacities = {},
                        .steps = static_cast<int>(fourth.size()),
                        .samples = samples,
                        .seed = spec.seed};
  for (const SlotLimit& limit : comparison.limits) forecast.capacities.push_back(limit.capacity);
  const auto add = [&](std::string name, std::string fitted, std::vector<RoutingSpec> layers) {
    forecast.layers = std::move(layers);
    comparison.forecasts.push_back(
        {std::move(name), std::move(fitted), forecast_routing(forecast)});
  };
  add("uniform", "nothing: all experts alike", std::vector<RoutingSpec>(loads.size(), model));
  add("learned", "sigma of each layer and drift: log-normal popularity, which expert is drawn",
      std::move(learned));
  add("given", "the share of each expert: popularity stays as it was", std::move(given));
  return comparison;
}

}  // namespace switchyard
