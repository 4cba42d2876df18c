#include "sim/cli/training_routing.hpp"

#include "sim/cli/kernel_words.hpp"
#include "sim/workload/routing/capacity.hpp"

namespace switchyard {

Recorded recorded_quarters(const kernels::TrainSpec& spec, int first, int count) {
  const auto first_at = [&](int quarter) {
    const std::int64_t step = std::int64_t{spec.steps} * quarter / 4;
    return static_cast<std::size_t>((step + spec.trace_every - 1) / spec.trace_every);
  };
  return {first_at(first), first_at(first + count)};
}

RoutingShape training_shape(const kernels::TrainSpec& spec) {
  const auto [num_groups, group_tokens] = kernels::token_groups(spec.layer, spec.tokens_per_rank);
  return {.num_ranks = spec.partition.data,
          .groups_per_rank = num_groups,
          .group_tokens = group_tokens,
          .num_experts = spec.layer.num_experts,
          .num_layers = spec.layers};
}

std::vector<SlotLimit> slot_limits(const kernels::TrainSpec& spec) {
  const kernels::CapacitySpec& capacity = spec.layer.capacity;
  const auto limit = [&](double factor) {
    return SlotLimit{factor, expert_capacity(training_shape(spec).group_tokens,
                                             {.capacity_factor = factor,
                                              .num_experts = spec.layer.num_experts,
                                              .top_k = spec.layer.router.top_k,
                                              .times_top_k = capacity.times_top_k,
                                              .minimum = capacity.minimum,
                                              .rounding = rounding_of(capacity.rounding)})};
  };
  std::vector<SlotLimit> limits{capacity.capacity_factor
                                    ? limit(*capacity.capacity_factor)
                                    : SlotLimit{std::nullopt, kUnlimitedSlots}};
  for (const double factor : {1.0, 1.5, 2.0})
    if (factor != capacity.capacity_factor) limits.push_back(limit(factor));
  return limits;
}

StepCounts replayed_counts(const kernels::TrainSpec& spec,
                           const std::shared_ptr<const RoutingTrace>& trace,
                           const std::vector<SlotLimit>& limits) {
  // The trace says itself which second choices were not used.
  const RoutingSpec routing{.router = TraceRouter{.trace = trace},
                            .gate = {.top_k = spec.layer.router.top_k},
                            .slots = {.priority = priority_of(spec.layer.capacity.priority)}};
  std::vector<std::int64_t> capacities;
  for (const SlotLimit& limit : limits) capacities.push_back(limit.capacity);
  StepCounts counts;
  const RoutingShape shape = training_shape(spec);
  for (std::size_t i = 0; i < recorded_quarters(spec, 0, 4).size(); ++i)
    counts.push_back(count_routing(routing, shape, capacities, {.draw = i}));
  return counts;
}

StepCounts measured_counts(const kernels::TrainResult& result) {
  StepCounts counts;
  for (std::size_t step = 0; step < result.steps.size();
       step += static_cast<std::size_t>(result.spec.trace_every)) {
    counts.emplace_back();
    for (const kernels::LayerLoad& layer : result.steps[step].layers)
      counts.back().push_back({.num_choices = layer.num_choices,
                               .largest_load = layer.largest_load,
                               .num_dropped = {layer.num_dropped}});
  }
  return counts;
}

int count_differences(const StepCounts& measured, const StepCounts& replayed) {
  int different = 0;
  for (std::size_t i = 0; i < measured.size(); ++i)
    for (std::size_t l = 0; l < measured[i].size(); ++l) {
      RoutingCounts at_first_limit = replayed[i][l];
      at_first_limit.num_dropped.resize(1);
      if (at_first_limit != measured[i][l]) ++different;
    }
  return different;
}

std::vector<RoutingOutcome> outcomes_by_layer(const StepCounts& counts, const Recorded& steps,
                                              int num_experts) {
  std::vector<RoutingOutcome> result;
  for (std::size_t l = 0; l < counts.front().size(); ++l) {
    std::vector<RoutingCounts> of_layer;
    for (std::size_t i = steps.begin; i < steps.end; ++i) of_layer.push_back(counts[i][l]);
    result.push_back(outcome_of_steps(of_layer, num_experts));
  }
  result.push_back(mean_outcome(result));
  return result;
}

std::vector<SampledLoads> recorded_loads(const RoutingTrace& trace, std::int64_t step_tokens,
                                         const Recorded& steps, int num_choices) {
  std::vector<SampledLoads> layers;
  for (int l = 0; l < trace.num_layers; ++l) {
    SampledLoads loads{.top_k = num_choices, .num_tokens = step_tokens, .steps = {}};
    for (std::size_t i = steps.begin; i < steps.end; ++i) {
      std::vector<std::int64_t> counts(static_cast<std::size_t>(trace.num_experts));
      for (std::int64_t t = 0; t < step_tokens; ++t)
        for (int choice = 0; choice < num_choices; ++choice) {
          const std::int64_t token = static_cast<std::int64_t>(i) * step_tokens + t;
          const std::int32_t expert = trace.expert(token, l, choice);
          ++counts[static_cast<std::size_t>(expert)];
        }
      loads.steps.push_back(std::move(counts));
    }
    layers.push_back(std::move(loads));
  }
  return layers;
}

}  // namespace switchyard
