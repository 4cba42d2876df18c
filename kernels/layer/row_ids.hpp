#pragma once

#include "kernels/layer/dispatch_plan.hpp"
#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// (R): token in the batch * top_k + choice of each row; names a row on whatever rank it is.
[[nodiscard]] Buffer<std::int64_t> row_ids(const DispatchPlan& plan, const StepContext& step,
                                           int top_k);

}  // namespace switchyard::kernels
