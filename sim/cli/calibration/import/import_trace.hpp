#pragma once

#include <string>

#include "sim/cli/calibration/import/imported_file.hpp"
#include "sim/cli/traces/gpu_trace.hpp"

namespace switchyard {

/// Points of a trace: products by product_shape(), NCCL's collectives by collective_shape(). A call
/// takes what all kernels of its operator take together; the calls of one shape are one point, with
/// median, p10 and p90. A collective's kernel waits for the other ranks: its time has that in it.
/// All other kernels are listed as unused, by name and reason.
[[nodiscard]] ImportedFile import_trace(const GpuTrace& trace, const std::string& file);

}  // namespace switchyard
