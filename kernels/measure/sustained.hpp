#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/measure/measure.hpp"
#include "kernels/measure/sustained_file.hpp"

namespace switchyard::kernels {

/// Operators that slow down alike as a device grows hot, and the large point that stands for them.
struct SustainedClass {
  std::string name;  ///< product_bfloat16, product_float32, grouped, memory, attention, collectives
  OperatorPoint point;
};

/// Collectives where the plan has several ranks, attention where there is a BLAS, on a CPU.
[[nodiscard]] std::vector<SustainedClass> sustained_classes(MeasureDevice device,
                                                            const MeasurePlan& plan);

struct SustainedSpec {
  MeasureDevice device = MeasureDevice::kCpu;
  MeasurePlan plan = {};
  double seconds = 60.0;      ///< of each class
  std::string file = {};      ///< of rows; one that exists is gone on with
  std::string software = {};  ///< named in the file
  std::function<void(const std::string& name, const SustainedRow&)> progress =
      {};                                         ///< may be empty
  const std::atomic<bool>* is_stopped = nullptr;  ///< looked at between calls
};

struct SustainedResult {
  std::map<std::string, SustainedRate> rates;  ///< by class, of those that ran to their end
  std::vector<std::string> failed_checks;      ///< kernels that are off, and were not run
  bool was_stopped = false;                    ///< on the rank that writes
};

/// Runs each class without a pause, and writes a row each second: the median time of a call, power
/// and clock. Classes that the file has to their end are not run again; one that was interrupted is
/// begun again.
/// With Transport::kMpi or kNccl all ranks must call it, for the collectives alone.
/// @throws KernelError; rows stay in the file
[[nodiscard]] SustainedResult measure_sustained(SustainedSpec spec);

}  // namespace switchyard::kernels
