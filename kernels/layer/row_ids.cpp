#include "kernels/layer/row_ids.hpp"

namespace switchyard::kernels {

Buffer<std::int64_t> row_ids(const DispatchPlan& plan, const StepContext& step, int top_k) {
  Buffer<std::int64_t> ids(plan.source_token.size());
  for (std::size_t r = 0; r < ids.size(); ++r)
    ids[r] = (step.first_token + plan.source_token[r]) * top_k + plan.source_choice[r];
  return ids;
}

}  // namespace switchyard::kernels
