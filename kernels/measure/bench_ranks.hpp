#pragma once

#include <memory>
#include <vector>

#include "kernels/measure/choose_points.hpp"
#include "kernels/measure/cpu_operator.hpp"
#include "kernels/measure/operator_timing.hpp"

namespace switchyard::kernels {

/// The ranks of this machine, their threads and their memory, used point after point.
class BenchRanks {
 public:
  /// @param world  ranks of MPI, all of which make the same calls; null: threads of this process
  BenchRanks(const MeasurePlan& plan, Communicator* world);

  /// On rank 0 what was measured; undefined on the others.
  [[nodiscard]] QuietSamples time(const OperatorPoint& point);

 private:
  [[nodiscard]] std::function<Sample()> make(const OperatorPoint& point, Communicator& ranks);

  Communicator* world_;
  std::vector<CpuBackend> cpus_;
  std::vector<MeasureMemory> memories_;
  ReferenceProduct reference_;
  std::unique_ptr<Communicator> single_;
};

}  // namespace switchyard::kernels
