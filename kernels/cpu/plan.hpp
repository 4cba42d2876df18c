#pragma once

#include <cstdint>
#include <span>

#include "kernels/layer/dispatch_plan.hpp"
#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// Gives out slots group by group, then sorts the kept choices by expert (stable counting sort).
/// @param experts  (T, k), kNoExpert where there is no choice
/// @throws KernelError (kShape) for an expert outside 0 .. E - 1, or 2^31 choices and more.
void build_plan(const MoeLayerSpec& spec, std::span<const std::int32_t> experts,
                DispatchPlan& plan);

}  // namespace switchyard::kernels
