#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/train/train.hpp"
#include "sim/planner/fit_sampled_loads.hpp"
#include "sim/planner/forecast_routing.hpp"
#include "sim/workload/routing/routing_trace.hpp"

namespace switchyard {

/// Recorded steps begin .. end - 1 of a training's recording.
struct Recorded {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// The recorded steps of `count` quarters of a training from quarter `first` on.
/// Precondition: trace_every is above 0.
[[nodiscard]] Recorded recorded_quarters(const kernels::TrainSpec& spec, int first, int count);

/// Slots of an expert in a group. No capacity factor: dropless.
struct SlotLimit {
  std::optional<double> capacity_factor;
  std::int64_t capacity = 0;
};

/// The training's own, then those of capacity factors 1, 1.5 and 2, as the simulator counts slots.
[[nodiscard]] std::vector<SlotLimit> slot_limits(const kernels::TrainSpec& spec);

/// One step of a training. Its capacity is not set.
[[nodiscard]] RoutingShape training_shape(const kernels::TrainSpec& spec);

/// (recorded steps, layers)
using StepCounts = std::vector<std::vector<RoutingCounts>>;

/// Every recorded step, its choices replayed by the simulator at each limit.
[[nodiscard]] StepCounts replayed_counts(const kernels::TrainSpec& spec,
                                         const std::shared_ptr<const RoutingTrace>& trace,
                                         const std::vector<SlotLimit>& limits);

/// The same steps as the kernels counted them; one capacity.
[[nodiscard]] StepCounts measured_counts(const kernels::TrainResult& result);

/// Layers of all steps whose counts differ at the first capacity.
[[nodiscard]] int count_differences(const StepCounts& measured, const StepCounts& replayed);

/// Over some recorded steps, by layer, then the mean of the layers.
[[nodiscard]] std::vector<RoutingOutcome> outcomes_by_layer(const StepCounts& counts,
                                                            const Recorded& steps, int num_experts);

/// Counts the first `num_choices` choices of the tokens of some recorded steps, by layer.
/// Precondition: none of them is missing.
[[nodiscard]] std::vector<SampledLoads> recorded_loads(const RoutingTrace& trace,
                                                       std::int64_t step_tokens,
                                                       const Recorded& steps, int num_choices);

}  // namespace switchyard
