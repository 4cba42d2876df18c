#include "sim/cli/traces/gpu_trace.hpp"

namespace switchyard {

std::int64_t operator_id(const GpuTrace& trace, const TracedKernel& kernel) {
  if (trace.operators.contains(kernel.external_id)) return kernel.external_id;
  const auto launch = trace.launches.find(kernel.correlation);
  if (launch == trace.launches.end()) return -1;
  return trace.operators.contains(launch->second.external_id) ? launch->second.external_id : -1;
}

const TracedOperator* operator_of(const GpuTrace& trace, const TracedKernel& kernel) {
  const auto found = trace.operators.find(operator_id(trace, kernel));
  return found == trace.operators.end() ? nullptr : &found->second;
}

}  // namespace switchyard
