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

  /// Whether others work on the machine that the point would run on.
  [[nodiscard]] bool is_disturbed(const OperatorPoint& point);

  /// What the reference product took at best in another run, on that many ranks side by side.
  void expect_reference(int num_ranks, double best_s);

  /// On rank 0 what was measured; undefined on the others.
  [[nodiscard]] QuietSamples time(const OperatorPoint& point);

 private:
  void on_ranks(const OperatorPoint& point, const std::function<void(Communicator&)>& body);
  [[nodiscard]] std::function<Sample()> make(const OperatorPoint& point, Communicator& ranks);

  Communicator* world_;
  std::vector<CpuBackend> cpus_;
  std::vector<MeasureMemory> memories_;
  ReferenceProduct reference_;
  std::unique_ptr<Communicator> single_;
};

}  // namespace switchyard::kernels
