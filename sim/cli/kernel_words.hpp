#pragma once

#include "kernels/layer/layer_spec.hpp"
#include "sim/workload/routing/capacity.hpp"
#include "sim/workload/routing/routing_spec.hpp"

namespace switchyard {

// The words that the kernels and the simulator both have.

[[nodiscard]] kernels::SecondChoice second_choice_of(SecondChoice choice);
[[nodiscard]] SecondChoice second_choice_of(kernels::SecondChoice choice);

[[nodiscard]] kernels::CapacityRounding rounding_of(CapacityRounding rounding);
[[nodiscard]] CapacityRounding rounding_of(kernels::CapacityRounding rounding);

/// Precondition: not kGate, which the kernels do not have (checked).
[[nodiscard]] kernels::SlotPriority priority_of(SlotPriority priority);
[[nodiscard]] SlotPriority priority_of(kernels::SlotPriority priority);

}  // namespace switchyard
